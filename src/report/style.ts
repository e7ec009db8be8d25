// How a report looks. Colours are variables, so that charts take them too.
export const style = `
:root{color-scheme:light;--page:#f4f6fa;--card:#fff;--text:#1c2330;--muted:#5d6778;--line:#e4e8ee;--accent:#2f6feb;--good:#0f9d76;--bad:#d6336c;--warn:#b58105;--heat:47,111,235;
--c0:#2f6feb;--c1:#e8590c;--c2:#0f9d76;--c3:#8b46d6;--c4:#d6336c;--c5:#0b8fb3;--c6:#b58105;--c7:#5f6b7c;--c8:#5c940d;--c9:#a0522d;--shadow:0 1px 2px rgba(20,30,50,.05),0 4px 16px rgba(20,30,50,.05)}
:root[data-theme=dark]{color-scheme:dark;--page:#0d1118;--card:#151a23;--text:#e7ebf2;--muted:#9aa5b8;--line:#2b3342;--accent:#6ea1ff;--good:#3ecf9f;--bad:#ff7fa8;--warn:#e3b341;--heat:110,161,255;
--c0:#6ea1ff;--c1:#ff9454;--c2:#3ecf9f;--c3:#bd8cff;--c4:#ff7fa8;--c5:#4cc9e8;--c6:#e3b341;--c7:#a3afc2;--c8:#9bd24a;--c9:#d79a6e;--shadow:0 1px 2px rgba(0,0,0,.4)}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--text);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue","Liberation Sans",Arial,sans-serif;-webkit-font-smoothing:antialiased}
main{max-width:1240px;margin:0 auto;padding:32px 24px 56px}
header{display:flex;align-items:flex-start;gap:16px;margin-bottom:22px}
header>div{flex:1;min-width:0}
h1{font-size:27px;line-height:1.25;letter-spacing:-.015em;font-weight:680;margin:0 0 4px;overflow-wrap:anywhere}
h2{font-size:14px;font-weight:640;margin:0 0 10px;letter-spacing:.005em}
.sub{color:var(--muted);overflow-wrap:anywhere}
.pill{display:inline-flex;align-items:center;gap:7px;font-size:12.5px;font-weight:600;padding:3px 11px;border-radius:99px;border:1px solid var(--line);background:var(--card);vertical-align:4px;margin-left:10px;white-space:nowrap}
.pill:before{content:"";width:8px;height:8px;border-radius:50%;background:var(--dot)}
.done{--dot:var(--good)}.running{--dot:var(--accent)}.stopped{--dot:var(--warn)}.failed{--dot:var(--bad)}
#theme{border:1px solid var(--line);background:var(--card);color:var(--muted);border-radius:9px;padding:6px 12px;font:inherit;font-size:13px;cursor:pointer}
#theme:hover{color:var(--text)}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(148px,1fr));gap:14px;margin-bottom:18px}
.card{background:var(--card);border:1px solid var(--line);border-radius:13px;box-shadow:var(--shadow);padding:16px 18px;min-width:0}
.card .k{color:var(--muted);font-size:12.5px}
.card .v{font-size:23px;font-weight:650;letter-spacing:-.015em;font-variant-numeric:tabular-nums;line-height:1.35;white-space:nowrap;overflow:hidden;text-overflow:ellipsis}
.card .d{color:var(--muted);font-size:12px;white-space:nowrap;overflow:hidden;text-overflow:ellipsis}
.grid{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:18px}
.wide{grid-column:1/-1}
.chart{height:290px;margin:0 -8px -6px}
.scroll{overflow-x:auto}
table{border-collapse:collapse;font-size:13px}
.facts{width:100%}
.facts td{padding:5px 0;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:anywhere}
.facts tr:last-child td{border:0}
.facts td:first-child{color:var(--muted);padding-right:18px;white-space:nowrap;width:1%}
.confusion{margin:0 auto;border-spacing:2px;border-collapse:separate;font-variant-numeric:tabular-nums}
.confusion td{min-width:40px;height:34px;text-align:center;border-radius:5px;padding:0 6px}
.confusion th{font-weight:500;color:var(--muted);font-size:12px;padding:3px 8px;max-width:130px;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.confusion tbody th{text-align:right}
.samples{display:grid;grid-template-columns:repeat(auto-fill,minmax(96px,1fr));gap:12px}
.sample{border:1px solid var(--line);border-radius:10px;overflow:hidden;font-size:12.5px;border-bottom:3px solid var(--good)}
.sample.wrong{border-bottom-color:var(--bad)}
.sample img{display:block;width:100%;image-rendering:pixelated;background:var(--line)}
.sample p{margin:0;padding:8px 9px;color:var(--muted);max-height:110px;overflow:auto}
.sample div{padding:5px 9px;overflow-wrap:anywhere}
.sample b{font-weight:650}.sample span{color:var(--muted)}
pre{margin:0;font:12.5px/1.5 ui-monospace,SFMono-Regular,Menlo,"Liberation Mono",Consolas,monospace}
footer{color:var(--muted);font-size:12.5px;margin-top:26px;text-align:center}
@media(max-width:820px){.grid{grid-template-columns:minmax(0,1fr)}main{padding:20px 14px 40px}h1{font-size:22px}}
@media print{#theme{display:none}.card{break-inside:avoid;box-shadow:none}}
`;
