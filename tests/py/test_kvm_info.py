# SPDX-License-Identifier: BSD-3-Clause
"""gearshift kvm-info, with and without the device."""

import json

import pytest


def test_a_missing_device_is_one_reason_and_status_1(runner):
    done = runner.run("kvm-info", "--device=/nonexistent/kvm")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("KVM is not usable: /nonexistent/kvm: No ")
    assert "module" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_file_that_is_no_kvm_is_refused(runner):
    done = runner.run("kvm-info", "--json", "--device=/dev/null")
    assert done.returncode == 1
    assert "not a KVM device" in json.loads(done.stdout)["reason"]


def test_the_probe_and_the_table_are_shown(runner):
    done = runner.run("kvm-info", "--json")
    info = json.loads(done.stdout)
    if info["reason"]:
        assert done.returncode == 1
        pytest.skip(info["reason"])
    assert done.returncode == 0
    assert info["api_version"] == 12
    assert info["probe"]["runs_ring3"] == "yes"
    needed = [row for row in info["caps"] if row[3]]
    assert needed and all(row[2] > 0 for row in needed)
    text = runner.run("kvm-info").stdout
    assert f"vendor class            {info['probe']['vendor']}\n" in text
    assert "USER_MEMORY" in text
