# SPDX-License-Identifier: BSD-3-Clause
"""Running simulations: time, exits, events, signals, forks, statistics."""

import os
import signal
import threading

import pytest

import gearshift
import m5
from gearshift import simulation

FOREVER = 10**15


@pytest.fixture
def sim(make_root, tmp_path):
    """An instantiated simulation."""
    made = gearshift.Simulation(make_root(), outdir=str(tmp_path / "out"))
    made.instantiate()
    return made


def keep_busy(sim, period=1000):
    """Schedule an event for ever."""

    def again():
        sim.call_at(sim.now + period, again)

    again()


def test_simulate_stops_at_its_limit(sim):
    event = sim.simulate(1000)
    assert (event.getCause(), event.getCode()) == (
        "simulate() limit reached",
        0,
    )
    assert sim.now == 1000
    sim.simulate(500)
    assert sim.now == 1500


def test_exits_are_scheduled(sim):
    sim.schedule_exit(700)
    sim.schedule_exit(900, "half time")
    assert sim.simulate().getCause() == "Tick exit reached"
    assert sim.now == 700
    assert sim.simulate().getCause() == "half time"
    assert sim.now == 900
    sim.max_tick = 2000
    assert sim.simulate().getCause() == "simulate() limit reached"
    assert sim.now == 2000
    with pytest.raises(gearshift.FatalError):
        sim.max_tick = 5
    with pytest.raises(gearshift.FatalError):
        sim.schedule_exit(5)


def test_events_call_python_in_order(sim):
    calls = []
    sim.call_at(200, lambda: calls.append(("late", sim.now)))
    sim.call_at(100, lambda: calls.append(("second", sim.now)), priority=5)
    sim.call_at(100, lambda: calls.append(("first", sim.now)), priority=-5)
    dropped = sim.call_at(150, lambda: calls.append("never"))
    dropped.deschedule()
    sim.call_at(300, lambda: sim.exit_now("enough", 7))
    event = sim.simulate(10_000)
    assert calls == [("first", 100), ("second", 100), ("late", 200)]
    assert (event.getCause(), event.getCode(), sim.now) == ("enough", 7, 300)


def test_an_exception_in_an_event_reaches_the_caller(sim):
    def fail():
        raise KeyError("lost")

    sim.call_at(100, fail)
    with pytest.raises(KeyError, match="lost"):
        sim.simulate(1000)
    assert sim.now == 100
    assert sim.simulate(50).getCause() == "simulate() limit reached"


def test_simulate_inside_an_event_is_refused(sim):
    sim.call_at(100, sim.simulate)
    with pytest.raises(gearshift.FatalError, match="already running"):
        sim.simulate(1000)


def test_other_threads_run_during_simulate(sim):
    keep_busy(sim)
    seen = []

    def stop_soon():
        seen.append("ran")
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Timer(0.05, stop_soon)
    sim.call_at(5000, thread.start)
    event = sim.simulate(FOREVER)
    thread.join()
    assert seen == ["ran"]
    assert event.getCause() == "user interrupt received"
    assert 0 < sim.now < FOREVER


def test_a_handler_of_the_script_may_raise(sim):
    class Stop(Exception):
        """Raised by the handler."""

    def handler(*_args):
        raise Stop

    keep_busy(sim)
    old = signal.signal(signal.SIGALRM, handler)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        with pytest.raises(Stop):
            sim.simulate(FOREVER)
    finally:
        signal.signal(signal.SIGALRM, old)
    assert sim.simulate(1000).getCause() == "simulate() limit reached"


def test_two_simulations_do_not_meet(make_root, tmp_path):
    one = gearshift.Simulation(make_root(), outdir=str(tmp_path / "one"))
    two = gearshift.Simulation(make_root(), outdir=str(tmp_path / "two"))
    one.instantiate()
    two.instantiate()
    one.simulate(1000)
    two.simulate(5)
    assert (one.now, two.now) == (1000, 5)
    assert (tmp_path / "two" / "config.ini").exists()


def test_parameters_can_be_read_back(sim):
    system = sim.root.system
    native = system.getCCObject()
    assert native.path == "system" and native.type == "System"
    assert native.get_param("cache_line_size") == 64
    assert native.get_param("mem_ranges") == [(0, 16 << 20, 0, ())]
    assert system.mem._native.get_param("latency") == 30_000
    assert native.param_origin("mem_mode").startswith("<string>:")
    domain = system.mem._native.get_param("clk_domain")
    assert domain.path == "system.clk_domain"


def test_the_memory_mode_can_change(sim):
    system = sim.root.system
    assert system.getMemoryMode() == "timing"
    system.setMemoryMode("atomic")
    assert system.getMemoryMode() == "atomic"
    modes = type(system.mem_mode).vals
    assert modes[system._native.get_param("mem_mode")] == "atomic"


def test_objects_of_the_core_outlive_their_simulation(make_root, tmp_path):
    made = gearshift.Simulation(make_root(), outdir=str(tmp_path))
    made.instantiate()
    domain = made.root.system.mem._native.get_param("clk_domain")
    del made
    assert domain.path == "system.clk_domain"


def test_statistics_can_be_read(sim):
    sim.simulate(2500)
    assert sim.stat("simTicks")["value"] == 2500
    tree = gearshift.simstat.get_simstat(sim)
    assert tree.simTicks.value == 2500 and tree["simTicks"].unit == "Tick"
    assert "system" in tree.to_json()
    assert float(tree.system.clk_domain.clock) == 1000
    sim.stats.reset()
    assert sim.stat("simTicks")["value"] == 0
    assert sim.stat("finalTick")["value"] == 2500
    with pytest.raises(gearshift.FatalError, match="no statistic 'simTick'"):
        sim.stat("simTick")


def test_draining_ends_and_time_goes_on(sim):
    sim.drain()
    sim.simulate(100)
    assert sim.now == 100


def test_the_functions_of_m5_act_on_the_latest_root(
    make_root, tmp_path, monkeypatch
):
    monkeypatch.setattr(gearshift.settings, "outdir", str(tmp_path))
    make_root()
    m5.instantiate()
    assert m5.curTick() == 0
    assert m5.getMaxTick() == m5.MaxTick == (1 << 64) - 1
    m5.scheduleTickExitFromCurrent(400)
    m5.scheduleTickExitAbsolute(500)
    assert m5.simulate(m5.MaxTick).getCause() == "Tick exit reached"
    assert m5.curTick() == 400
    assert m5.simulate().getCause() == "Tick exit reached"
    m5.setMaxTick(1500)
    assert m5.getTicksUntilMax() == 1000
    assert m5.simulate().getCause() == "simulate() limit reached"
    m5.drain()
    assert not m5.listenersDisabled()
    m5.disableAllListeners()
    assert m5.listenersDisabled()
    stat = m5.stats.gem5stats.get_simstat(simulation.default().root)
    assert stat.to_json()["simTicks"]["value"] == 1500
    make_root()
    with pytest.raises(gearshift.StateError, match="before instantiate"):
        m5.simulate()


def test_a_root_without_a_name_is_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(gearshift.settings, "outdir", str(tmp_path))
    m5.objects.Root(full_system=False)
    m5.instantiate()
    assert m5.simulate(10).getCause() == "simulate() limit reached"


def test_m5_events_derive_or_wrap(make_root, tmp_path, monkeypatch):
    monkeypatch.setattr(gearshift.settings, "outdir", str(tmp_path))
    make_root()
    m5.instantiate()
    calls = []

    class Mine(m5.event.Event):
        """Calls back."""

        def __call__(self):
            calls.append(m5.curTick())

    mine = Mine()
    m5.event.mainq.schedule(mine, 10)
    m5.event.mainq.schedule(m5.event.create(lambda: calls.append("x")), 20)
    m5.event.mainq.reschedule(mine, 30)
    assert mine.scheduled() and mine.when() == 30
    m5.simulate(100)
    assert calls == ["x", 30] and not mine.scheduled()


def test_a_forked_child_writes_elsewhere(runner, system_text):
    done = runner.script(
        system_text + "m5.instantiate()\nm5.simulate(1000)\n"
        "pid = m5.fork('%(parent)s/child%(fork_seq)i')\n"
        "if pid == 0:\n"
        "    m5.simulate(500)\n"
        "    sys.exit(0)\n"
        "os.waitpid(pid, 0)\n"
        "m5.simulate(20)\n"
        "print(m5.curTick(), m5.options.outdir)\n"
    )
    assert (done.stdout, done.stderr) == ("1020 m5out\n", "")
    child = runner.path("m5out/child1/stats.txt").read_text()
    parent = runner.path("m5out/stats.txt").read_text()
    assert child.count("Begin Simulation Statistics") == 1
    assert "finalTick                                        1500" in child
    assert parent.count("Begin Simulation Statistics") == 1
    assert "finalTick                                        1020" in parent


def test_control_c_ends_a_script_in_an_orderly_way(runner, system_text):
    done = runner.script(
        system_text + "m5.instantiate()\n"
        "def again():\n"
        "    m5.event.mainq.schedule(m5.event.create(again), "
        "m5.curTick() + 1000)\n"
        "again()\n"
        "import signal, threading\n"
        "timer = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT))"
        "\n"
        "m5.event.mainq.schedule(m5.event.create(timer.start), 5000)\n"
        "print(m5.simulate().getCause())\n"
    )
    assert done.stdout == "user interrupt received\n"
    assert done.returncode == 0
