/** How an exported page looks: light and dark, narrow and wide, on paper. */
export const style = `
:root{color-scheme:light dark;--bg:#fbfbfa;--panel:#fff;--ink:#1d2024;--soft:#5d646e;--line:#e1e3e6;--you:#eef3fb;--youline:#b9cdec;
--code:#f3f4f5;--add:#e3f6e6;--addink:#14532d;--del:#fde8e8;--delink:#7f1d1d;--accent:#2456a6;--bad:#b42318;--good:#1a7f37;--wait:#9a6700}
@media(prefers-color-scheme:dark){:root{--bg:#15171a;--panel:#1b1e22;--ink:#e4e6e9;--soft:#9aa3ae;--line:#2e3339;--you:#1c2738;--youline:#33507c;
--code:#22262b;--add:#12301c;--addink:#a6e3b5;--del:#3a1a1c;--delink:#f4b4b4;--accent:#8ab4f8;--bad:#ff8f85;--good:#6fd08c;--wait:#e3b341}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);font:16px/1.6 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;overflow-wrap:anywhere}
header,main,footer{max-width:52rem;margin:0 auto;padding:0 1.25rem}
header{padding-top:2.5rem;padding-bottom:1rem;border-bottom:1px solid var(--line)}
h1{font-size:1.6rem;line-height:1.25;margin:0 0 .8rem}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem 1rem;margin:0;font-size:.875rem}
dt{color:var(--soft)}dd{margin:0}
article{margin:1.4rem 0}
article>h2,article>h3{font-size:.875rem;margin:0 0 .35rem;display:flex;gap:.6rem;align-items:baseline;flex-wrap:wrap}
.you{background:var(--you);border:1px solid var(--youline);border-radius:.6rem;padding:.8rem 1rem;margin-top:2.6rem}
.system{border-left:3px solid var(--wait);padding-left:.9rem}
time,.seq,.facts{color:var(--soft);font-weight:400;font-size:.8rem;text-decoration:none}
.seq:hover{text-decoration:underline}
.text>:first-child{margin-top:0}.text>:last-child{margin-bottom:0}
.text p,.text ul,.text ol{margin:.6em 0}
h4,h5,h6{margin:1.2em 0 .4em;font-size:1rem;line-height:1.3}
a{color:var(--accent)}
.plain{white-space:pre-wrap}
code,pre,.path{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:.85em}
code{background:var(--code);padding:.1em .3em;border-radius:.25em}
pre{background:var(--code);border-radius:.5rem;padding:.7rem .85rem;margin:.6rem 0;overflow-x:auto;line-height:1.45;tab-size:4}
pre code{background:none;padding:0;font-size:1em}
details pre{max-height:32rem;overflow:auto}
table{border-collapse:collapse;display:block;overflow-x:auto}th,td{border:1px solid var(--line);padding:.25rem .6rem;text-align:left}
blockquote{margin:.6em 0;padding-left:.9rem;border-left:3px solid var(--line);color:var(--soft)}
img{max-width:100%;height:auto}
details{margin:.35rem 0;border:1px solid var(--line);border-radius:.5rem;background:var(--panel);font-size:.9rem}
details+details{margin-top:.35rem}
summary{cursor:pointer;padding:.4rem .8rem}
details[open]>summary{border-bottom:1px solid var(--line)}
.body{padding:.4rem .8rem .6rem}
.mark{display:inline-block;width:1.2em}.ok>summary .mark{color:var(--good)}.failed>summary .mark{color:var(--bad)}.open>summary .mark{color:var(--wait)}
.kind{color:var(--soft);margin-right:.45em}
.note{color:var(--soft);font-size:.875rem;margin:.5rem 0}.bad{color:var(--bad)}
.thought>.body{color:var(--soft)}
.agent>.body>article{margin:.8rem 0}.agent>.body>.you{margin-top:.8rem}
.superseded{opacity:.6;border-left:3px dashed var(--line);padding-left:.9rem}
.plan{list-style:none;padding:.5rem .8rem;margin:.5rem 0;border:1px solid var(--line);border-radius:.5rem;background:var(--panel);font-size:.9rem}
.edited ol{margin:.2rem 0;padding-left:1.4rem}.edited li{margin:.35rem 0}
.plan .completed{color:var(--soft)}
.diff{padding:.4rem 0;white-space:pre;overflow-x:auto}.diff code{display:inline-block;min-width:100%}
.diff ins,.diff del,.diff span{display:block;text-decoration:none;padding:0 .85rem}
.diff ins{background:var(--add);color:var(--addink)}.diff del{background:var(--del);color:var(--delink)}.diff .gap{color:var(--soft)}
.path{margin:.5rem 0 0}.plus{color:var(--good)}.minus{color:var(--bad)}
footer{color:var(--soft);font-size:.8rem;padding-top:1rem;padding-bottom:3rem;margin-top:3rem;border-top:1px solid var(--line)}
@media(max-width:40rem){body{font-size:15px}header,main,footer{padding-left:.9rem;padding-right:.9rem}dl{grid-template-columns:1fr}dt{margin-top:.3rem}}
@media print{:root{color-scheme:light;--bg:#fff;--panel:#fff;--ink:#000;--soft:#444;--line:#bbb;--you:#f2f2f2;--youline:#bbb;--code:#f4f4f4;
--add:#eaf6ec;--addink:#14532d;--del:#fbeaea;--delink:#7f1d1d;--accent:#000;--bad:#900;--good:#060;--wait:#650}
body{font-size:10.5pt}header,main,footer{max-width:none;padding:0}pre,.diff{white-space:pre-wrap}details pre{max-height:none}
article>h2,summary{break-after:avoid}.you,.plan{break-inside:avoid}}
`.trim();
