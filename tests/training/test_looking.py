from pathlib import Path

from raymon.training.looking import how_to_look, looking_commands


def test_a_run_on_object_storage_is_seen_from_anywhere() -> None:
    assert how_to_look("s3://bucket/run", "http://head:8265") == [
        "See it: raymon board s3://bucket/run, raymon watch s3://bucket/run"
    ]


def test_a_directory_that_is_here_is_seen_here(tmp_path: Path) -> None:
    assert how_to_look(str(tmp_path), "http://head:8265") == [
        f"See it: raymon board {tmp_path}, raymon watch {tmp_path}"
    ]


def test_a_directory_that_is_not_here_is_seen_through_the_head() -> None:
    lines = [line.strip() for line in how_to_look("/shared/a run", "https://head.example:8265")]
    assert lines[0].endswith("raymon board '/shared/a run', raymon watch '/shared/a run'")
    assert (
        "ssh -t -L 6007:127.0.0.1:6007 head.example raymon board '/shared/a run' --port 6007"
    ) in lines
    assert sum("kubectl port-forward HEAD_POD 6007" in line for line in lines) == 1


def test_of_a_page_beside_the_run_there_is_only_its_port_to_forward() -> None:
    lines = [line.strip() for line in how_to_look("/shared/run", "http://localhost:8265", 7000)]
    # What is behind a tunnel to the dashboard is not known.
    assert "ssh -N -L 7000:127.0.0.1:7000 HEAD" in lines
    assert "ray attach CLUSTER.yaml --port-forward 7000" in lines
    assert "kubectl port-forward HEAD_POD 7000" in lines


def test_a_command_can_be_pasted_whatever_the_run_is_called() -> None:
    assert looking_commands("/runs/a; rm -rf b")["raymon_watch"] == (
        "raymon watch '/runs/a; rm -rf b'"
    )
