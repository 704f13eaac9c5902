"""The plot of errors in the documents."""

from scripts.error_plot import PLOT, draw, read_errors


def test_the_plot_is_that_of_the_stored_results() -> None:
    assert PLOT.read_text() == draw(read_errors())


def test_every_contender_has_a_line_through_all_click_rates() -> None:
    errors = read_errors()
    rates = {rate for by_rate in errors.values() for rate in by_rate}
    assert len(errors) == 4
    assert all(set(by_rate) == rates for by_rate in errors.values())
    assert draw(errors).count("<circle") == 4 * len(rates)


def test_less_error_is_further_down() -> None:
    better, worse = {1.0: 1e-6, 2.0: 1e-6}, {1.0: 1e-2, 2.0: 1e-2}
    drawn = draw({"a": better, "b": worse, "c": better, "d": worse})
    heights = [
        float(line.split('cy="')[1].split('"')[0])
        for line in drawn.splitlines()
        if "<circle" in line
    ]
    assert heights[0] > heights[2]
