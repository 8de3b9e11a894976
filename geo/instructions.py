"""Machine instructions that numba has no name for: bytes of an array taken many at a time.

An array view cannot be unaligned, so eight bytes from any place need an instruction of their own. Uncompiled kernels
(`NUMBA_DISABLE_JIT=1`) and checked ones (`NUMBA_BOUNDSCHECK=1`) take the same values more slowly.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from geo.kernel import inlined

_CHECKED = bool(numba.config.BOUNDSCHECK)
_COMPILED = not numba.config.DISABLE_JIT


@intrinsic  # type: ignore[untyped-decorator]
def _load64(typing: Any, buf: Any, i: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, args[0])
        word = builder.bitcast(builder.gep(array.data, [args[1]]), ir.IntType(64).as_pointer())
        return builder.load(word, align=1)

    return types.uint64(buf, types.intp), code


@intrinsic  # type: ignore[untyped-decorator]
def _byte_swap(typing: Any, word: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = ir.FunctionType(ir.IntType(64), [ir.IntType(64)])
        return builder.call(cgutils.get_or_insert_function(builder.module, kind, "llvm.bswap.i64"), args)

    return types.uint64(types.uint64), code


@intrinsic  # type: ignore[untyped-decorator]
def _trailing_zeros(typing: Any, word: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = ir.FunctionType(ir.IntType(64), [ir.IntType(64), ir.IntType(1)])
        count = cgutils.get_or_insert_function(builder.module, kind, "llvm.cttz.i64")
        return builder.call(count, [args[0], ir.Constant(ir.IntType(1), 0)])

    return types.int64(types.uint64), code


@inlined
def load64(buf, i):
    """The bytes i .. i + 7 of a uint8 array as one number, first byte lowest; an array view cannot be unaligned."""
    if not _COMPILED:
        return np.uint64(int.from_bytes(buf[i : i + 8].tobytes(), "little"))
    if _CHECKED:
        buf[i], buf[i + 7]  # numba checks these indices, and cannot check the load below
    return _load64(buf, i)


@inlined
def byte_swap(word):
    """The bytes of a uint64 in the opposite order."""
    if not _COMPILED:
        return np.uint64(int.from_bytes(int(word).to_bytes(8, "little"), "big"))
    return _byte_swap(word)


@inlined
def trailing_zeros(word):
    """How many zero bits a uint64 has below its lowest one; 64 for zero."""
    if not _COMPILED:
        return (int(word) & -int(word)).bit_length() - 1 if word else 64
    return _trailing_zeros(word)


_LANES = ir.VectorType(ir.IntType(8), 64)


@intrinsic  # type: ignore[untyped-decorator]
def _equal64(typing: Any, buf: Any, i: Any, byte: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, args[0])
        text = builder.load(builder.bitcast(builder.gep(array.data, [args[1]]), _LANES.as_pointer()), align=1)
        none, first = ir.Constant(_LANES, ir.Undefined), ir.Constant(ir.IntType(32), 0)
        everywhere = ir.Constant(ir.VectorType(ir.IntType(32), 64), [0] * 64)
        repeated = builder.shuffle_vector(builder.insert_element(none, args[2], first), none, everywhere)
        return builder.bitcast(builder.icmp_unsigned("==", text, repeated), ir.IntType(64))

    return types.uint64(buf, types.intp, types.uint8), code


@inlined
def equal64(buf, i, byte):
    """A bit for each of the bytes i .. i + 63 of a uint8 array, first byte lowest: 1 where it is `byte`."""
    if not _COMPILED:
        return np.packbits(buf[i : i + 64] == byte, bitorder="little").view(np.uint64)[0]
    if _CHECKED:
        buf[i], buf[i + 63]  # as above
    return _equal64(buf, i, byte)


@intrinsic  # type: ignore[untyped-decorator]
def _prefetch(typing: Any, buf: Any, i: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, args[0])
        place = builder.bitcast(builder.gep(array.data, [args[1]]), ir.IntType(8).as_pointer())
        word = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [place.type, word, word, word])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0i8")
        builder.call(function, [place, ir.Constant(word, 0), ir.Constant(word, 3), ir.Constant(word, 1)])
        return context.get_dummy_value()

    return types.void(buf, types.intp), code


@inlined
def prefetch(buf, i):
    """Bring the place `i` of an array near, so that it is there when it is read some 100 ns later."""
    if _COMPILED:
        _prefetch(buf, i)
