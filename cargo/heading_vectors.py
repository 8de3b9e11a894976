"""The headings of the Harmonized System as vectors of character n-grams; made once, and kept in the cache folder.

A subheading is its own text, its heading's and its chapter's title, so that headings of a chapter support each other; a
heading is the most that any of its subheadings says with each n-gram: one that fits is enough, as a mean would drown it
among "other". Texts of all versions of the nomenclature count, each code by its newest. The n-grams (3 to 5 characters
of a word and the blanks around it) are weighted by TF-IDF.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from cargo.hs import VERSIONS, codes, description
from cargo.wording import fold
from geo.cache import cache_root

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

CHAPTER_WEIGHT = 0.3
"""Weight of the chapter's title beside the heading's and the subheading's; tried from 0.3 to 1 on lists other than the
EU's."""
LENGTH_POWER = 0.25
"""Power of its length by which a heading is divided: at 1 one of many different subheadings would count little, at 0 it
would be like every text; tried from 0 to 1 on the same."""
_NGRAMS = (3, 5)

_OF_LAW = (
    "HIGH QUALITY LUXURY END DESIGNER OTHER OTHERS THAN NOT NOR WHETHER OR AND OF THE FOR IN WITH THEREOF THEIR ITS "
    "AS SUCH INCLUDING INCLUDED EXCLUDING ETC ELSEWHERE SPECIFIED KIND TYPE USED USE ARTICLE ARTICLES ITEM ITEMS "
    "EQUIPMENT SIMILAR LIKE BEING TO ON AN BY HEADING HEADINGS NO CHAPTER MORE VALUE VALUED GREATER WELL ALSO HAVING "
    "PUT UP ANY ALL FROM PERSONAL INCL FIT FITTED REGARDLESS ONLY HEREOF"
)
_OF_SHIPPING = (
    "UNIT UNITS PCS PC SET SETS CTN CTNS CARTON CARTONS PKG PKGS PACKAGE PACKAGES PALLET PALLETS BAG BAGS BOX BOXES "
    "NEW BRAND SAID CONTAIN CONTAINS CONTAINER STC SHIPPER LOAD COUNT KGS KG NET GROSS WEIGHT CBM PER ATTACHED LIST "
    "ONE TWO THREE GOODS CARGO FREIGHT PREPAID HS CODE INVOICE MADE SIZE PAIRS PIECES LOT YEAR MODEL"
)
STOP_WORDS = frozenset(f"{_OF_LAW} {_OF_SHIPPING}".split())
"""Words of law, nomenclature and shipping papers that say nothing of what goods are."""


class HeadingVectors(NamedTuple):
    """`matrix` holds a row per heading, already times the weights of the n-grams."""

    headings: NDArray[np.str_]
    matrix: csr_matrix
    vocabulary: dict[str, int]
    weights: NDArray[np.float32]


def plain_words(text: str) -> list[str]:
    """The words of a text that say what goods are: Latin letters, two or more, none of `STOP_WORDS`.

    >>> plain_words("Yachts and other vessels; for pleasure or sports")
    ['YACHTS', 'VESSELS', 'PLEASURE', 'SPORTS']
    """
    return [word for word in re.findall("[A-Z]{2,}", fold(text).replace("'S", "")) if word not in STOP_WORDS]


@cache
def heading_vectors() -> HeadingVectors:
    """The vectors, from the cache folder where they are there and whole."""
    headings, texts = _headings()
    digest = hashlib.sha256(repr((2, _NGRAMS, CHAPTER_WEIGHT, LENGTH_POWER, headings, texts)).encode()).hexdigest()[:16]
    path = cache_root() / f"headings-{digest}.npz"
    with suppress(OSError, ValueError, KeyError, EOFError, BadZipFile):
        return _load(path)
    made = _make(headings, texts)
    with suppress(OSError):
        _save(made, path)
    return made


def ngram_counts(words: Sequence[str]) -> csr_matrix:
    """How often each known n-gram stands in each word: a row per word, unweighted."""
    from scipy.sparse import csr_matrix

    vocabulary = heading_vectors().vocabulary
    columns: list[int] = []
    counts: list[int] = []
    ends = [0]
    for word in words:
        known = Counter(at for gram in word_ngrams(word) if (at := vocabulary.get(gram)) is not None)
        columns += known.keys()
        counts += known.values()
        ends.append(len(columns))
    return csr_matrix((np.array(counts, "f4"), np.array(columns, "i4"), ends), shape=(len(words), len(vocabulary)))


def word_ngrams(word: str) -> list[str]:
    """The n-grams of a word with a blank before and after it, as scikit-learn's `char_wb` makes them.

    >>> word_ngrams("FUR")
    [' FU', 'FUR', 'UR ', ' FUR', 'FUR ', ' FUR ']
    """
    padded = f" {word} "
    made = []
    for length in range(_NGRAMS[0], _NGRAMS[1] + 1):
        made += [padded[at : at + length] for at in range(max(1, len(padded) - length + 1))]
        if length >= len(padded):
            break
    return made


def _headings() -> tuple[list[str], list[tuple[str, str]]]:
    """The headings, and all texts: headings in their order, subheadings, chapters, as (code, words)."""
    newest: dict[str, str] = {}
    for version in VERSIONS:
        for digits in (2, 4, 6):
            newest |= {code: description(code, version) for code in codes(version, digits)}
    there = {code for code in newest if len(code) == 4 and code[:2] != "99"}
    ordered = [*sorted(there), *sorted(code for code in newest if len(code) == 6 and code[:4] in there)]
    ordered += sorted({code[:2] for code in there})
    return sorted(there), [(code, " ".join(plain_words(newest.get(code, "")))) for code in ordered]


def _make(headings: list[str], texts: list[tuple[str, str]]) -> HeadingVectors:
    from scipy.sparse import csr_matrix
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.preprocessing import normalize

    vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=_NGRAMS, sublinear_tf=True, lowercase=False)
    every = vectorizer.fit_transform([words for _, words in texts])
    rows = {code: n for n, (code, _) in enumerate(texts)}
    under = [code for code, _ in texts if len(code) == 6]
    own, over, chapters = ([rows[code[:digits]] for code in under] for digits in (6, 4, 2))
    vectors = normalize(every[own] + every[over] + CHAPTER_WEIGHT * every[chapters])
    most = _most(vectors, over, len(headings))
    lengths = np.sqrt(np.asarray(most.multiply(most).sum(axis=1)))
    vectors = most.multiply(1.0 / np.where(lengths > 0.0, lengths, 1.0) ** LENGTH_POWER)
    matrix = csr_matrix(vectors.multiply(vectorizer.idf_[None, :]), dtype=np.float32)
    vocabulary = {str(gram): int(at) for gram, at in vectorizer.vocabulary_.items()}
    return HeadingVectors(np.array(headings), matrix, vocabulary, vectorizer.idf_.astype(np.float32))


def _most(vectors: csr_matrix, groups: Sequence[int], n_groups: int) -> csr_matrix:
    """The largest element of each column in each group of rows."""
    from scipy.sparse import csr_matrix

    every = vectors.tocoo()
    cells = np.array(groups)[every.row] * np.int64(every.shape[1]) + every.col
    order = np.argsort(cells, kind="stable")
    different, starts = np.unique(cells[order], return_index=True)
    most = np.maximum.reduceat(every.data[order], starts)
    return csr_matrix((most, divmod(different, every.shape[1])), shape=(n_groups, every.shape[1]))


def _save(made: HeadingVectors, path: Path) -> None:
    grams = np.array(sorted(made.vocabulary, key=made.vocabulary.__getitem__))
    parts = {"data": made.matrix.data, "indices": made.matrix.indices, "indptr": made.matrix.indptr}
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.stem}-{os.getpid()}.npz")
    try:
        np.savez(beside, headings=made.headings, grams=grams, weights=made.weights, **parts)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _load(path: Path) -> HeadingVectors:
    from scipy.sparse import csr_matrix

    with path.open("rb") as file, np.load(file, allow_pickle=False) as parts:
        headings, grams = parts["headings"], parts["grams"].tolist()
        whole = (parts["data"], parts["indices"], parts["indptr"])
        matrix = csr_matrix(whole, shape=(len(headings), len(grams)))
        matrix.check_format(full_check=True)
        return HeadingVectors(headings, matrix, {gram: n for n, gram in enumerate(grams)}, parts["weights"])
