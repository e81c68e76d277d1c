"""The page of `teacher-student explore`, as marimo runs it. What it shows is computed by the modules beside it."""

import marimo

app = marimo.App(width="full", app_title="teacher-student explore", css_file="page.css")


@app.cell
def library():
    import marimo as mo

    from figures import explorer

    page = explorer.Page(explorer.opened())
    return explorer, mo, page


@app.cell
def heading(explorer, mo, page):
    mo.Html(explorer.heading_of(page.opened))
    return


@app.cell
def elements(mo, page):
    def sliders_of(controls):
        return mo.ui.array(
            [
                mo.ui.slider(
                    steps=list(control.steps),
                    value=control.value,
                    label=control.label,
                    show_value=True,
                    debounce=not page.is_quick,
                    full_width=True,
                )
                for control in controls
            ]
        )

    def numbers_of(counts):
        return mo.ui.array(
            [mo.ui.number(count.low, count.high, step=1, value=count.value, label=count.name) for count in counts]
        )

    return numbers_of, sliders_of


@app.cell
def fixed_elements(mo, numbers_of, page, sliders_of):
    order = mo.ui.dropdown(page.orders, value=page.orders[0], label="order of phases", full_width=True)
    widths, ensemble = numbers_of(page.widths), numbers_of(page.ensemble)
    rates, inputs = sliders_of(page.rates), sliders_of(page.inputs)
    simulate = mo.ui.run_button(label="Simulate", kind="success")
    stop = mo.ui.run_button(label="Stop", kind="warn")
    tick = mo.ui.refresh(default_interval="1s")
    get_finished, set_finished = mo.state(None)
    return ensemble, get_finished, inputs, order, rates, set_finished, simulate, stop, tick, widths


@app.cell
def elements_of_phases(order, page, sliders_of):
    phases = sliders_of(page.phases(order.value))
    return (phases,)


@app.cell
def controls(inputs, mo, order, page, phases, rates, widths):
    groups = {
        "Learning": [*widths, *rates],
        "Inputs": [*inputs],
        "Order and durations": [*([order] if len(page.orders) > 1 else []), *phases],
    }
    mo.vstack(
        [mo.vstack([mo.Html(f"<h2>{name}</h2>"), *group], gap=0.4) for name, group in groups.items() if group], gap=0.4
    )
    return


@app.cell
def question(ensemble, inputs, order, page, phases, rates, widths):
    asked = page.ask(order.value, widths.value, rates.value, inputs.value, phases.value, ensemble.value)
    return (asked,)


@app.cell
def theory(asked, mo, page):
    if page.is_new(asked):
        with mo.status.spinner(title="Compiling for these widths and phases ...", remove_on_exit=True):
            answer = page.answer(asked)
    else:
        answer = page.answer(asked)
    return (answer,)


@app.cell
def picture(answer, explorer, get_finished, mo, page):
    get_finished()
    mo.Html(explorer.images(answer, page.comparison(answer.question)))
    return


@app.cell
def state(answer, explorer, mo, page, tick):
    _ = tick.value
    mo.Html(explorer.state_of(answer, compiling=page.is_compiling))
    return


@app.cell
def work(asked, page, set_finished, simulate, stop, tick):
    _ = tick.value
    if simulate.value:
        page.simulate(asked)
    if stop.value:
        page.job.stop()
    running = page.job.is_running
    if page.has_news():
        set_finished(page.job.result)  # draws the curves again, with the points on them
    busy = running or page.is_compiling
    return busy, running


@app.cell
def simulation(asked, busy, ensemble, explorer, mo, page, running, simulate, stop, tick):
    mo.vstack(
        [
            mo.Html("<h2>Simulation</h2>"),
            mo.hstack([*ensemble, stop if running else simulate], wrap=True, justify="start", align="end"),
            mo.Html(explorer.progress_of(page.job, asked)),
            *([mo.Html(explorer.verdict_of(page.comparison(asked)))] if page.comparison(asked) else []),
            *([mo.Html(f'<div class="explorer-tick">{tick}</div>')] if busy else []),
        ],
        gap=0.4,
    )
    return


@app.cell
def export(explorer, mo, page):
    mo.vstack(
        [
            mo.Html("<h2>Take it with you</h2>"),
            mo.hstack(
                [
                    mo.download(lambda name=name: explorer.exported(page, name), filename=name, label=label)
                    for name, label in explorer.EXPORTS.items()
                ],
                wrap=True,
                justify="start",
            ),
        ],
        gap=0.4,
    )
    return


if __name__ == "__main__":
    app.run()
