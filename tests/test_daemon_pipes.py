"""Standard input, named pipes and serial devices, for real."""

import contextlib
import os

from source_run import Running

from luxwake.daemon.config import SerialSource, StdinSource
from luxwake.daemon.sources.stdin import StandardInput


def test_standard_input_ends_cleanly():
    read, write = os.pipe()
    with Running(StdinSource(name="a"), source=lambda config, intake: StandardInput(config, intake, read)) as run:
        os.write(write, b"one\ntw")
        run.until(lambda: run.data == b"\none\ntw")
        os.write(write, b"o")
        os.close(write)
        run.until(lambda: run.source.state == "ended")
        run.until(lambda: run.data == b"\none\ntwo\n")
    os.close(read)


def test_standard_input_does_not_glue_what_a_kill_has_left():
    data = b""
    for text in (b"one\n!torn", b"two\n"):
        read, write = os.pipe()
        with Running(
            StdinSource(name="a"), source=lambda config, intake, fd=read: StandardInput(config, intake, fd)
        ) as run:
            os.write(write, text)
            run.until(lambda run=run, text=text: run.data.endswith(text))
        data += run.data
        os.close(read)
        os.close(write)
    assert data.split() == [b"one", b"!torn", b"two"]


def test_standard_input_stops_while_nothing_comes():
    read, write = os.pipe()
    with Running(StdinSource(name="a"), source=lambda config, intake: StandardInput(config, intake, read)) as run:
        run.until(lambda: run.source.state == "reads")
        assert run.end() < 0.5
    os.close(read)
    os.close(write)


def test_a_named_pipe_takes_one_writer_after_the_other(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with Running(SerialSource(name="a", path=str(path))) as run:
        for k in range(20):
            with open(path, "wb", buffering=0) as writer:
                writer.write(b"!writer %d\nrest %d" % (k, k))
            run.until_lines(2 * k + 2)
        assert run.lines == [line for k in range(20) for line in (b"!writer %d" % k, b"rest %d" % k)]
        assert run.end() < 0.5


def test_a_named_pipe_that_is_removed_closes_nothing_of_others(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with Running(SerialSource(name="a", path=str(path))) as run, contextlib.ExitStack() as others:
        path.write_bytes(b"one")
        run.until_lines(1)
        opened = [others.enter_context(open(os.devnull, "rb")) for _ in range(20)]
        with open(path, "wb", buffering=0) as writer:
            path.unlink()
            writer.write(b"two")
        run.until(lambda: "No such file" in run.source.state)
        run.until_lines(2)
        for file in opened:
            os.fstat(file.fileno())


def test_a_file_in_the_place_of_a_named_pipe_is_not_read(tmp_path):
    path, file = tmp_path / "pipe", tmp_path / "file"
    os.mkfifo(path)
    file.write_bytes(b"of a file\n")
    with Running(SerialSource(name="a", path=str(path))) as run:
        with open(path, "wb", buffering=0) as writer:
            file.rename(path)
            writer.write(b"one\n")
        run.until(lambda: "no device and no pipe" in run.source.state)
        assert run.lines == [b"one"]


def test_a_serial_device_is_read_and_opened_again():
    main, device = os.openpty()
    path = os.ttyname(device)
    with Running(SerialSource(name="a", path=path, baud=9600, watchdog_s=0.3)) as run:
        run.until(lambda: run.source.connections == 1)
        os.write(main, b"!one\r\n!tw")
        run.until_lines(1)
        run.until(lambda: run.source.connections == 2, "the watchdog")
        os.write(main, b"!three\r\n" + b"\x03\x04\x11\x13\x00raw\r\n")
        run.until_lines(4)
        assert run.lines == [b"!one\r", b"!tw", b"!three\r", b"\x03\x04\x11\x13\x00raw\r"]
        os.close(device)
        os.close(main)
        run.until(lambda: run.source.state.startswith("waits"))
    assert run.intake.dropped_bytes == 0


def test_a_device_that_sends_one_endless_line_is_cut_and_counted():
    main, device = os.openpty()
    with Running(SerialSource(name="a", path=os.ttyname(device))) as run:
        run.until(lambda: run.source.connections == 1)
        sent = 0
        for _ in range(50):
            sent += os.write(main, b"z" * 1000)
            run.take()
        os.write(main, b"\nafter\n")
        run.until_lines(2)
        assert run.lines == [b"z" * 4096, b"after"]
        assert run.intake.dropped_bytes == sent - 4096
    os.close(device)
    os.close(main)
