# SPDX-License-Identifier: BSD-3-Clause
"""Trees of objects: children, overrides, clones, ports, proxies."""

import pytest

import gearshift
from gearshift.objects import (
    ClockedObject,
    DerivedClockDomain,
    Root,
    SimpleMemory,
    SrcClockDomain,
    System,
    SystemXBar,
    VoltageDomain,
)
from gearshift.proxy import Parent, Self


def test_keywords_and_assignments_set_parameters():
    mem = SimpleMemory(latency="10ns")
    assert mem.latency.getValue() == 10_000
    mem.latency = "20ns"
    assert mem.latency.getValue() == 20_000


def test_a_subclass_overrides_values_of_its_base():
    class Slow(SimpleMemory):
        """Overrides a default."""

        latency = "1us"

    class Slower(Slow):
        """Overrides again."""

        latency = "2us"

    assert Slow().latency.getValue() == 1_000_000
    assert Slower().latency.getValue() == 2_000_000
    assert Slower(latency="3us").latency.getValue() == 3_000_000
    assert SimpleMemory().latency.getValue() == 30_000
    late = Slow()
    Slow.latency = "5us"
    assert late.latency.getValue() == Slow.latency.getValue() == 5_000_000


def test_objects_in_a_class_body_are_cloned_per_instance():
    class Board(System):
        """Has a child and a connection in its body."""

        bus = SystemXBar()
        mem = SimpleMemory(latency="7ns")
        mem.port = bus.mem_side_ports

    one, two = Board(), Board()
    assert one.mem is not two.mem
    assert one.mem.get_parent() is one
    assert one.mem.latency.getValue() == 7_000
    assert one.mem.port.peer.simobj is one.bus
    assert two.mem.port.peer.simobj is two.bus


def test_children_have_paths():
    root = Root()
    root.system = System()
    root.system.mem = SimpleMemory()
    assert root.path() == "root"
    assert root.system.path() == "system"
    assert root.system.mem.path() == "system.mem"
    assert SimpleMemory().path() == "SimpleMemory"


def test_elements_of_a_list_are_numbered():
    system = System()
    system.mem = [SimpleMemory() for _ in range(11)]
    system.one = [SimpleMemory()]
    assert system.mem[3].get_name() == "mem03"
    assert system.one[0].get_name() == "one"
    assert len(system.mem) == 11
    system.one.append(SimpleMemory())
    assert [mem.get_name() for mem in system.one] == ["one0", "one1"]


def test_a_value_without_parent_becomes_a_child():
    domain = VoltageDomain()
    first = SrcClockDomain(clock="1GHz", voltage_domain=domain)
    second = SrcClockDomain(clock="1GHz", voltage_domain=domain)
    assert domain.get_parent() is first
    assert second.voltage_domain is domain


def test_replacing_a_child_frees_the_old_one():
    system = System()
    old = system.mem = SimpleMemory()
    system.mem = SimpleMemory()
    assert not old.has_parent() and system.mem is not old


def test_descendants_come_parents_first_and_sorted():
    root = Root()
    root.system = System()
    root.system.b = SimpleMemory()
    root.system.a = SimpleMemory()
    assert [obj.path() for obj in root.descendants()] == [
        "root",
        "system",
        "system.a",
        "system.b",
    ]


def test_a_call_clones_the_tree_and_its_connections():
    system = System()
    system.bus = SystemXBar(width=32)
    system.mem = SimpleMemory(latency="9ns")
    system.mem.port = system.bus.mem_side_ports
    twin = system(mem_mode="timing")
    assert twin.mem is not system.mem
    assert twin.mem.latency.getValue() == 9_000
    assert twin.mem.port.peer.simobj is twin.bus
    assert system.mem.port.peer.simobj is system.bus
    assert (twin.mem_mode, system.mem_mode) == ("timing", "atomic")
    assert twin.bus.width == 32 and not twin.has_parent()


def test_get_and_has_ask_without_errors():
    system = System()
    system.mem = SimpleMemory()
    assert system.has("mem") and system.has("mem_mode")
    assert not system.has("nothing") and system.get("nothing", 5) == 5
    assert system.get("mem") is system.mem
    assert system._ccObject is None


def test_find_any_and_find_all_search_by_type():
    root = Root()
    root.system = System()
    root.system.bus = SystemXBar()
    root.system.mem = [SimpleMemory(), SimpleMemory()]
    assert root.find_any(System) == (root.system, True)
    assert root.system.find_any(SrcClockDomain) == (None, False)
    assert root.find_all(SimpleMemory)[0] == list(root.system.mem)
    with pytest.raises(AttributeError):
        root.system.find_any(SimpleMemory)


def test_apply_config_sets_by_path():
    root = Root()
    root.system = System()
    root.system.mem = [SimpleMemory(), SimpleMemory()]
    root.apply_config(["system.mem[1].latency=4ns", "system.mem_mode=timing"])
    assert root.system.mem[1].latency.getValue() == 4_000
    assert root.system.mem_mode == "timing"
    assert root.get_simobj("root.system.mem[0]") is (root.system.mem[0])
    # As gem5 has it: literals of Python's, slices and lists.
    root.system.apply_config(["mem[0].latency = '5ns'", "cache_line_size=128"])
    assert root.system.mem[0].latency.getValue() == 5_000
    assert root.system.cache_line_size == 128
    root.apply_config(["system.mem[:1].null=True"])
    assert [mem.null for mem in root.system.mem] == [True, False]
    root.apply_config(["system.mem.latency=6ns"])
    assert [mem.latency.getValue() for mem in root.system.mem] == [6000] * 2
    with pytest.raises(gearshift.FatalError, match="'\\[x\\]' is no index"):
        root.get_simobj("system.mem[x]")


# ------------------------------------------------------------------- ports


def test_a_connection_works_both_ways():
    mem, bus = SimpleMemory(), SystemXBar()
    mem.port = bus.mem_side_ports
    assert mem.port.peer is bus.mem_side_ports[0]
    assert bus.mem_side_ports[0].peer is mem.port
    other = SimpleMemory()
    bus.mem_side_ports = other.port
    assert len(bus.mem_side_ports) == 2
    assert bus.mem_side_ports[1].peer is other.port


def test_a_vector_port_takes_lists_and_indices():
    bus, mems = SystemXBar(), [SimpleMemory() for _ in range(3)]
    bus.mem_side_ports = [mems[0].port, mems[1].port]
    bus.mem_side_ports[2] = mems[2].port
    assert [port.peer.simobj for port in bus.mem_side_ports] == mems


def test_kinds_of_ports_must_match():
    class Pin(System):
        """Has a port of another kind."""

        out = gearshift.objects.RequestPort("An interrupt", kind="int")

    with pytest.raises(gearshift.FatalError) as caught:
        Pin().out = SimpleMemory().port
    assert caught.value.message == (
        "cannot connect Pin.out to SimpleMemory.port: the kinds 'int' and "
        "'mem' do not match"
    )


def test_a_class_can_be_defined_again():
    for width in (1, 2):

        class Part(gearshift.SimObject):
            """Defined twice, as in a notebook."""

            _abstract = False
            size = gearshift.Param.Int(width, "Size")

        class Whole(gearshift.SimObject):
            """Refers to the latest."""

            part = gearshift.Param.Part("A part")

        assert Whole(part=Part()).part.size == width


def test_deprecated_port_names_still_work():
    bus, mem = SystemXBar(), SimpleMemory()
    bus.master = mem.port
    assert bus.mem_side_ports[0].peer is mem.port
    assert len(bus.slave) == 0


# ----------------------------------------------------------------- proxies


def resolved(obj, name):
    """What the parameter's proxy stands for."""
    return obj._values.get(name, getattr(obj, name)).unproxy(
        obj, obj._params[name]
    )


def small_tree():
    root = Root()
    root.system = System(cache_line_size=32)
    root.system.clk_domain = SrcClockDomain(
        clock="1GHz", voltage_domain=VoltageDomain()
    )
    root.system.bus = SystemXBar()
    return root


def test_parent_looks_upwards():
    root = small_tree()
    bus = root.system.bus
    bus.width = Parent.cache_line_size
    assert resolved(bus, "width") == 32
    assert resolved(bus, "clk_domain") is root.system.clk_domain
    bus.width = Parent.cache_line_size * 2
    assert resolved(bus, "width") == 64


def test_self_and_any_and_indices():
    root = small_tree()
    bus = root.system.bus
    bus.width = Self.forward_latency
    assert resolved(bus, "width") == bus.forward_latency
    domain = root.system.slow = DerivedClockDomain(clk_domain=Parent.any)
    root.system.slow.clk_divider = Parent.mem_ranges[0].start
    root.system.mem_ranges = [gearshift.AddrRange(5, 10)]
    assert resolved(domain, "clk_divider") == 5


def test_parent_any_finds_the_only_object_of_the_type():
    root = small_tree()
    root.domain = SrcClockDomain(clock="1GHz", voltage_domain=Parent.any)
    root.volts = VoltageDomain()
    assert resolved(root.domain, "voltage_domain") is root.volts


def test_abstract_classes_have_no_instances():
    with pytest.raises(gearshift.FatalError, match="abstract class"):
        gearshift.objects.BaseXBar()
    assert ClockedObject
