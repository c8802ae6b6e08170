# SPDX-License-Identifier: BSD-3-Clause
"""Rare kinds of values: network addresses, sockets, dates, code positions."""

import datetime

import pytest
from m5 import params
from m5.SimObject import PyBindProperty, isRoot
from m5.util import callOnce, deprecated, printList


def test_numbers_and_times_are_numeric():
    for value in (params.MemorySize("1KiB"), params.Latency("1ns")):
        assert isinstance(value, params.NumericParamValue)
    assert not isinstance(params.String("a"), params.NumericParamValue)
    assert isinstance(params.Clock("1GHz"), params.TickParamValue)
    assert params.NumericParamValue.unwrap(params.Int(4)) == 4
    assert params.NumericParamValue.unwrap("x") == "x"
    assert params.UInt8(7).config_value() == 7


def test_a_multiple_of_a_time_is_a_time():
    time = params.Latency("10ns")
    for found, ticks in [
        (time * 3, 30_000),
        (3 * time, 30_000),
        (time / 4, 2_500),
        (time + params.Latency("5ns"), 15_000),
        (time - params.Latency("5ns"), 5_000),
        (sum([time, time]), 20_000),
    ]:
        assert isinstance(found, params.Latency)
        assert found.getValue() == ticks
    assert time / params.Latency("5ns") == 2.0
    assert params.Latency("77t").getValue() == 77
    assert (params.Latency("77t") * 2).getValue() == 154
    assert (params.Frequency("1GHz") * 2).frequency == 2e9
    assert (params.Clock("1GHz") * 2).getValue() == 2000


def test_ethernet_addresses():
    address = params.EthernetAddr("00:90:00:00:00:ff")
    assert str(address) == address.ini_str() == "00:90:00:00:00:ff"
    assert address.getValue() == 0x0090000000FF
    assert params.EthernetAddr(address) == address
    assert params.IncEthernetAddr("00:90:00:00:ff:ff") == "00:90:00:01:00:00"
    first = params.EthernetAddr(params.NextEthernetAddr)
    second = params.EthernetAddr(params.NextEthernetAddr)
    assert second.getValue() == first.getValue() + 1
    for wrong in ("1:2:3:4:5", "00:90:00:00:00:100", 5):
        with pytest.raises(TypeError):
            params.EthernetAddr(wrong)


def test_ip_addresses():
    address = params.IpAddress("10.0.2.15")
    assert str(address) == "10.0.2.15" and address.ip == 0x0A00020F
    assert address == "10.0.2.15" and address == 0x0A00020F
    assert params.IpAddress(address) == params.IpAddress(0x0A00020F)
    assert address != "10.0.2.16" and address != "nonsense"
    with pytest.raises(TypeError):
        params.IpAddress(1 << 32)
    net = params.IpNetmask("10.0.2.0/255.255.255.0")
    assert str(net) == "10.0.2.0/24" and net == params.IpNetmask(net)
    assert net == "10.0.2.0/24" and net != "10.0.2.0/23" and net != 5
    assert params.IpNetmask(0x0A000200, netmask=24) == net
    assert params.IpNetmask(ip=0x0A000200, netmask=24) == net
    port = params.IpWithPort("10.0.2.15:80")
    assert (port.ip, port.port, str(port)) == (
        0x0A00020F,
        80,
        "10.0.2.15:80",
    )
    assert params.IpWithPort(0x0A00020F, 80) == port
    for wrong in [("1.2.3.4:70000",), (1, 70000), (1,), (1, 2, 3)]:
        with pytest.raises((TypeError, ValueError, AttributeError)):
            params.IpWithPort(*wrong)


def test_sockets_of_the_host():
    assert params.HostSocket(7000).ini_str() == "#7000"
    assert params.HostSocket("/tmp/s").ini_str() == "P/tmp/s"
    assert params.HostSocket("@name").ini_str() == "@name"
    assert params.HostSocket(params.HostSocket(1)) == params.HostSocket(1)
    with pytest.raises(TypeError):
        params.HostSocket("")


def test_dates():
    for value in (
        "2012/01/02 03:04:05",
        "01/02/2012 03:04:05",
        "Mon Jan 02 03:04:05 2012",
        1325473445,
        datetime.datetime(2012, 1, 2, 3, 4, 5),
    ):
        assert params.Time(value).getValue() == 1325473445
    assert str(params.Time("2012/01/01")) == "Sun Jan  1 00:00:00 2012"
    assert params.Time("Now").getValue() > 1325473445
    with pytest.raises(ValueError):
        params.Time("soon")


def test_positions_in_code():
    pair = params.PcCountPair(0x401000, 3)
    assert (pair.get_pc(), pair.get_count()) == (0x401000, 3)
    assert pair == params.PcCountPair(0x401000, 3)
    assert pair != params.PcCountPair(0x401000, 4)
    assert str(pair) == "(4198400,3)"
    assert len({pair, params.PcCountPair(0x401000, 3)}) == 1


def test_they_are_types_of_parameters(runner):
    run = runner.script(
        "import m5\nfrom m5.objects import *\n"
        "class Nic(SimObject):\n"
        "    type = 'Nic'\n"
        "    addr = Param.EthernetAddr(NextEthernetAddr, 'Address')\n"
        "    when = Param.Time('2012/01/01', 'Date')\n"
        "    order = Param.ByteOrder('little', 'Order')\n"
        "    points = VectorParam.PcCountPair([], 'Where to stop')\n"
        "nic = Nic(points=[PcCountPair(16, 2)])\n"
        "print(nic.addr, nic.when, nic.order, nic.points[0])\n"
        "nic.addr = 'x'\n"
    )
    assert run.stdout == (
        "00:90:00:00:00:01 Sun Jan  1 00:00:00 2012 little (16,2)\n"
    )
    assert run.stderr == (
        "fatal: Nic.addr = 'x': expects an Ethernet address such as "
        "'00:90:00:00:00:01'\n  at script.py:11\n"
    )


def test_helpers_of_scripts(capsys):
    calls = []
    once = callOnce(calls.append)
    once(1)
    once(2)
    assert calls == [1]

    @deprecated("new()", logger=calls.append)
    def old(x):
        return x + 1

    assert old(1) == 2 and old(2) == 3
    assert len(calls) == 2
    assert calls[1].endswith("old is deprecated. Prefer new() instead.")
    printList(["a", "b"])
    assert capsys.readouterr().out == "    a, b\n"
    assert PyBindProperty("x").name == "x" and not isRoot(5)
