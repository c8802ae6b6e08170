# SPDX-License-Identifier: BSD-3-Clause
"""Strings with units to numbers."""

import pytest

from gearshift import convert


@pytest.mark.parametrize(
    "text, bytes_",
    [
        ("512MiB", 512 << 20),
        ("512MB", 512 << 20),
        ("1kB", 1024),
        ("1KiB", 1024),
        ("2GiB", 2 << 30),
        ("3TB", 3 << 40),
        ("64B", 64),
        ("1024", 1024),
        ("0x40", 64),
    ],
)
def test_a_memory_size_knows_binary_prefixes_only(text, bytes_):
    assert convert.toMemorySize(text) == bytes_


def test_a_decimal_prefix_of_a_size_warns(capsys):
    convert.toMemorySize("512MB")
    assert capsys.readouterr().err == (
        "warn: Base 10 memory/cache size 512MB will be cast to base 2 size "
        "512MiB.\n"
    )
    convert.toMemorySize("512MiB")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    "func, text, value",
    [
        (convert.toFrequency, "2GHz", 2e9),
        (convert.toFrequency, "2MHz", 2e6),
        (convert.toLatency, "50ns", 50e-9),
        (convert.toLatency, "1ms", 1e-3),
        (convert.anyToLatency, "2GHz", 0.5e-9),
        (convert.anyToLatency, "500ps", 500e-12),
        (convert.anyToFrequency, "500ps", 2e9),
        (convert.toVoltage, "1.2V", 1.2),
        (convert.toVoltage, "900mV", 0.9),
        (convert.toEnergy, "3pJ", 3e-12),
        (convert.toTemperature, "25C", 298.15),
        (convert.toTemperature, "300K", 300),
        (convert.toTemperature, "32F", 273.15),
        (convert.toMemoryBandwidth, "12.8GiB/s", 12.8 * (1 << 30)),
        (convert.toNetworkBandwidth, "10Gbps", 10e9),
    ],
)
def test_units_scale_numbers(func, text, value):
    assert func(text) == pytest.approx(value)


@pytest.mark.parametrize(
    "func, text",
    [
        (convert.toMemorySize, "1GHz"),
        (convert.toMemorySize, "12m"),
        (convert.toFrequency, "2ns"),
        (convert.toLatency, "abc"),
        (convert.anyToLatency, "5"),
        (convert.anyToLatency, "0Hz"),
        (convert.toBool, "maybe"),
        (convert.toTemperature, "-1K"),
        (convert.toTemperature, "5"),
        (convert.toIpAddress, "1.2.3"),
        (convert.toIpAddress, "1.2.3.400"),
        (convert.toIpNetmask, "10.0.0.0/255.0.255.0"),
        (convert.toIpWithPort, "1.2.3.4:70000"),
    ],
)
def test_a_wrong_unit_is_refused(func, text):
    with pytest.raises(ValueError):
        func(text)


def test_only_strings_are_converted():
    with pytest.raises(TypeError):
        convert.toLatency(5)


def test_booleans_have_many_spellings():
    assert [convert.toBool(w) for w in ("true", "T", "yes", "1")] == [True] * 4
    assert [convert.toBool(w) for w in ("False", "f", "NO", "0")] == [
        False
    ] * 4


def test_addresses_of_the_internet():
    assert convert.toIpAddress("10.0.0.1") == 0x0A000001
    assert convert.toIpNetmask("10.0.0.0/255.255.0.0") == (0x0A000000, 16)
    assert convert.toIpNetmask("10.0.0.0/8") == (0x0A000000, 8)
    assert convert.toIpWithPort("1.2.3.4:80") == (0x01020304, 80)
