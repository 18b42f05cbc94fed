/** How the page of a graph looks, light and dark. No attribute of the page has styles: its policy allows this text alone. */
export const style = `
:root {
  color-scheme: light dark;
  --back: #fbfbfa; --card: #fff; --text: #1c1e21; --soft: #5b626c; --line: #dfe1e5; --bar: #8fa9d6;
  --good: #1a6b3c; --good-back: #e4f4ea; --bad: #a8201a; --bad-back: #fdeae8; --mark: #fff4c9; --link: #1b56ad;
}
@media (prefers-color-scheme: dark) {
  :root {
    --back: #15171a; --card: #1d2024; --text: #e7e9ec; --soft: #a2a9b3; --line: #343941; --bar: #4d6899;
    --good: #7fd6a1; --good-back: #17301f; --bad: #ff9c94; --bad-back: #3d1b19; --mark: #403813; --link: #93bdff;
  }
}
* { box-sizing: border-box }
body {
  margin: 0; background: var(--back); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
main { max-width: 90rem; margin: 0 auto; padding: 2rem clamp(1rem, 3vw, 3rem) 4rem }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 1rem; overflow-wrap: anywhere }
h1 small { font-weight: 400; color: var(--soft); font-size: 1.1rem }
h2 { font-size: 1.15rem; margin: 2.5rem 0 .75rem }
a { color: var(--link); text-decoration-thickness: 1px; text-underline-offset: 2px }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; border-radius: 3px }
code, .path { font: .9em/1.45 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere }
.verdict { margin: 0; padding: .9rem 1.1rem; border-radius: 8px; border-left: 5px solid; font-weight: 600 }
.verdict span { display: block; font-weight: 400 }
.verdict.good { background: var(--good-back); color: var(--good) }
.verdict.bad { background: var(--bad-back); color: var(--bad) }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1.5rem; margin: 1.25rem 0 0 }
dt { color: var(--soft) }
dd { margin: 0; min-width: 0 }
.scroll { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: 8px }
figure { margin: 0 }
figcaption { color: var(--soft); margin-top: .5rem; font-size: .9rem }
table { border-collapse: collapse; width: 100%; min-width: 60rem }
th, td { text-align: left; vertical-align: top; padding: .5rem .9rem; border-top: 1px solid var(--line) }
thead th { border-top: 0; color: var(--soft); font-weight: 600; font-size: .85rem }
th[scope=rowgroup] { background: var(--back); font-size: .95rem }
th[scope=rowgroup] small { color: var(--soft); font-weight: 400; margin-left: .5rem }
th[scope=row] { font-weight: 400; width: 26% }
td:last-child { width: 12rem }
tr:target > * { background: var(--mark) }
td.size { white-space: nowrap; font-variant-numeric: tabular-nums; width: 8rem }
td.size svg { display: block; width: 6rem; height: 5px; margin-top: .3rem }
.bar { fill: var(--bar) }
ul { list-style: none; margin: 0; padding: 0 }
li + li { margin-top: .15rem }
summary { cursor: pointer; color: var(--link) }
details ul { margin-top: .3rem }
.way { color: var(--soft); font-size: .82rem; white-space: nowrap }
.none, .note { color: var(--soft) }
.note { display: block; font-size: .85rem }
.pill { display: inline-block; padding: .05rem .6rem; border-radius: 1rem; font-size: .85rem; font-weight: 600; white-space: nowrap }
.pill.good { background: var(--good-back); color: var(--good) }
.pill.bad { background: var(--bad-back); color: var(--bad) }
.drawing { display: block; margin: .5rem }
.drawing rect { fill: var(--back); stroke: var(--line); stroke-width: 1.5 }
.drawing .page rect { stroke: var(--link) }
.drawing .bad rect { fill: var(--bad-back); stroke: var(--bad) }
.drawing text { fill: var(--text); font: 12px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace }
.drawing .size { fill: var(--soft); font-size: 11px }
.drawing path { fill: none; stroke: var(--soft); stroke-width: 1.3; opacity: .7 }
.drawing path.dynamic { stroke-dasharray: 5 4 }
.drawing path.text { stroke-dasharray: 1.5 4 }
@media print { .scroll { overflow: visible } }
`
