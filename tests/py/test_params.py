# SPDX-License-Identifier: BSD-3-Clause
"""Values of parameters, ranges, enumerations."""

import pytest

import gearshift
from gearshift.params import enums, values
from gearshift.params.addr_range import AddrRange, AllMemory


def test_numbers_are_numbers_of_python():
    size = values.MemorySize("4KiB")
    assert size == 4096 and size + 1 == 4097 and int(size) == 4096
    assert size.value == size.getValue() == 4096
    assert size.ini_str() == "4096"
    assert str(values.Addr("0x1000")) == "0x1000"
    assert values.Addr("1MiB") == 1 << 20


def test_integers_keep_to_their_type():
    assert values.UInt8(255) == 255
    with pytest.raises(OverflowError):
        values.UInt8(256)
    with pytest.raises(OverflowError):
        values.Unsigned(-1)
    with pytest.raises(OverflowError):
        values.Percent(101)
    with pytest.raises(TypeError):
        values.Int(1.5)


def test_a_latency_is_stored_in_ticks():
    assert values.Latency("50ns").getValue() == 50_000
    assert values.Latency("50ns").value == pytest.approx(50e-9)
    assert values.Latency("77t").getValue() == 77
    assert values.Latency(0).getValue() == 0
    with pytest.raises(TypeError):
        values.Latency(50)
    with pytest.raises(ValueError):
        values.Latency("50")


def test_a_clock_is_a_frequency_or_a_period():
    assert values.Clock("2GHz").getValue() == 500
    assert values.Clock("500ps").getValue() == 500
    assert values.Clock("500ps").frequency == 2e9
    assert values.Clock("1GHz").frequency == 1e9
    assert values.Clock(values.Clock("2GHz")).getValue() == 500
    assert values.Frequency("2GHz").getValue() == pytest.approx(2e9)


def test_a_bandwidth_is_stored_as_ticks_per_byte():
    assert values.MemoryBandwidth("1GiB/s").getValue() == pytest.approx(
        1e12 / (1 << 30)
    )
    assert values.MemoryBandwidth("0B/s").getValue() == 0
    with pytest.raises(ValueError):
        values.MemoryBandwidth("5GHz")


def test_rounding_to_whole_ticks_warns(capsys):
    assert values.Clock("3GHz").getValue() == 333
    assert "rounding" not in capsys.readouterr().err
    assert values.Latency("1.4ps").getValue() == 1
    assert "1.400000 rounded to 1" in capsys.readouterr().err


@pytest.mark.parametrize(
    "made, start, end",
    [
        (AddrRange("1KiB"), 0, 1024),
        (AddrRange(0x1000), 0, 0x1000),
        (AddrRange(0x1000, 0x2000), 0x1000, 0x2000),
        (AddrRange(0x1000, size="4KiB"), 0x1000, 0x2000),
        (AddrRange(0x1000, end=0x3000), 0x1000, 0x3000),
        (AddrRange(start=0x1000, size=0x1000), 0x1000, 0x2000),
        (AddrRange((0x1000, 0x2000)), 0x1000, 0x2000),
        (AddrRange([0x1000, 0x2000]), 0x1000, 0x2000),
        (AddrRange("1GiB", size="1GiB"), 1 << 30, 2 << 30),
        (AddrRange(AddrRange("1KiB")), 0, 1024),
    ],
)
def test_a_range_has_gem5s_spellings(made, start, end):
    assert (made.start, made.end, made.size()) == (start, end, end - start)


def test_an_interleaved_range_selects_by_parity():
    parts = [
        AddrRange(
            0,
            size="64KiB",
            intlvHighBit=7,
            xorHighBit=11,
            intlvBits=2,
            intlvMatch=match,
        )
        for match in range(4)
    ]
    assert [part.masks for part in parts] == [[0x440, 0x880]] * 4
    assert parts[0].size() == 16 << 10
    for addr in (0, 64, 128, 192, 1024, 2048, 0x4C0, 65535):
        owners = [part.contains(addr) for part in parts]
        low = (addr >> 6 ^ addr >> 10) & 1
        high = (addr >> 7 ^ addr >> 11) & 1
        assert owners == [match == 2 * high + low for match in range(4)]
    assert parts[0].mergesWith(parts[1])


def test_a_wrong_range_is_refused():
    with pytest.raises(TypeError):
        AddrRange(start=5)
    with pytest.raises(TypeError):
        AddrRange("1KiB", colour="red")
    with pytest.raises(ValueError):
        AddrRange(0x2000, 0x1000)
    with pytest.raises(ValueError):
        AddrRange("1KiB", intlvHighBit=7, intlvBits=1, intlvMatch=2)


def test_a_range_without_others():
    rest = AddrRange(0, 100).exclude([AddrRange(20, 30), AddrRange(90, 120)])
    assert rest == [AddrRange(0, 20), AddrRange(30, 90)]
    assert AllMemory.end == (1 << 64) - 1


def test_an_enumeration_compares_as_a_string():
    system = gearshift.objects.System(mem_mode="timing")
    assert system.mem_mode == "timing"
    words = enums.allEnums["MemoryMode"].vals
    assert system.mem_mode.getValue() == words.index("timing")
    assert "MemoryMode" in enums.allEnums
    members = enums.allEnums["MemoryMode"].as_python_enum().__members__
    assert "atomic_noncaching" in members


def test_param_types_work_in_classes_of_scripts():
    class Board(gearshift.objects.System):
        """A class of a script."""

        cores = gearshift.Param.Int(4, "Number of cores")
        sizes = gearshift.VectorParam.MemorySize(["1KiB"], "Sizes")
        name_ = gearshift.Param.String("Must be set")

    board = Board(cores="8", sizes=["2KiB", 5])
    assert (board.cores, board.sizes) == (8, [2048, 5])
    assert board.sizes.getValue() == [2048, 5]
    assert Board().sizes == [1024]
    with pytest.raises(AttributeError):
        print(board.name_)
    with pytest.raises(gearshift.ParamTypeError):
        board.cores = "many"
