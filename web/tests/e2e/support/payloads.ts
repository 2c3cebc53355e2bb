/** Texts that try to become markup or script, a thousand and more, each unlike the others. */

const CODE = (n: number): string => `pwned(${n})`

/** Ways to run code in a page that takes text for markup. */
const RAW: ((n: number) => string)[] = [
  (n) => `<script>${CODE(n)}</script>`,
  (n) => `<img src=x onerror=${CODE(n)}>`,
  (n) => `<svg onload=${CODE(n)}>`,
  (n) => `<svg><script>${CODE(n)}</script></svg>`,
  (n) => `<iframe srcdoc="<script>parent.${CODE(n)}</script>"></iframe>`,
  (n) => `<iframe src="javascript:parent.${CODE(n)}"></iframe>`,
  (n) => `<body onload=${CODE(n)}>`,
  (n) => `<details open ontoggle=${CODE(n)}>x</details>`,
  (n) => `<video><source onerror="${CODE(n)}"></video>`,
  (n) => `<input autofocus onfocus=${CODE(n)}>`,
  (n) => `<marquee onstart=${CODE(n)}>x</marquee>`,
  (n) => `<object data="javascript:${CODE(n)}"></object>`,
  (n) => `<embed src="javascript:${CODE(n)}">`,
  (n) => `<a href="javascript:${CODE(n)}">x</a>`,
  (n) => `<form action="javascript:${CODE(n)}"><button>x</button></form>`,
  (n) => `<math><mi//xlink:href="data:x,<script>${CODE(n)}</script>">`,
  (n) => `<style>@import "javascript:${CODE(n)}";</style>`,
  (n) => `<link rel=stylesheet href="data:text/css,*{}//${n}">`,
  (n) => `<meta http-equiv=refresh content="0;javascript:${CODE(n)}">`,
  (n) => `<base href="javascript:/${CODE(n)}//">`,
  (n) => `"><script>${CODE(n)}</script>`,
  (n) => `' onmouseover='${CODE(n)}`,
  (n) => `" style="animation-name:x" onanimationstart="${CODE(n)}`,
  (n) => `</textarea><script>${CODE(n)}</script>`,
  (n) => `</title><script>${CODE(n)}</script>`,
  (n) => `<!--><script>${CODE(n)}</script-->`,
  (n) => `<noscript><p title="</noscript><img src=x onerror=${CODE(n)}>">`,
  (n) => `<template><script>${CODE(n)}</script></template>`,
  (n) => `&lt;script&gt;${CODE(n)}&lt;/script&gt;`,
  (n) => `&#60;img src=x onerror=${CODE(n)}&#62;`,
  (n) => `javascript:${CODE(n)}`,
  (n) => `java\tscript:${CODE(n)}`,
  (n) => `data:text/html,<script>${CODE(n)}</script>`,
  (n) => `vbscript:${CODE(n)}`,
  (n) => `{{constructor.constructor("${CODE(n)}")()}}`,
  (n) => `\${${CODE(n)}}`,
  (n) => `__proto__ constructor prototype ${CODE(n)}`,
  (n) => `\u202e<script>${CODE(n)}</script>\u202c`,
  (n) => `\ufeff<script>${CODE(n)}</script>`,
  (n) => `%3Cscript%3E${CODE(n)}%3C/script%3E`,
]

/** Ways to hide it in what Markdown makes of a text. */
const WRAPS: ((text: string) => string)[] = [
  (text) => text,
  (text) => `[x](${text})`,
  (text) => `[x](<${text}>)`,
  (text) => `![x](${text})`,
  (text) => `<${text}>`,
  (text) => `[${text}](https://example.org)`,
  (text) => `[x](javascript:alert(1) "${text}")`,
  (text) => `[x][y] [y]: ${text}`,
  (text) => `\`${text}\``,
  (text) => `\`\`\`${text}\n${text}\n\`\`\``,
  (text) => `**${text}**`,
  (text) => `_${text}_ ~~${text}~~`,
  (text) => `> ${text}`,
  (text) => `1. ${text}`,
  (text) => `# ${text}`,
  (text) => `@${text}`,
  (text) => `https://example.org/?${text}`,
  (text) => `www.example.org/${text}`,
  (text) => `mailto:${text}@example.org`,
  (text) => `[a](JaVaScRiPt&colon;${text})`,
  (text) => `[a](\u0001javascript:${text})`.replace('\u0001', '&#1;'),
  (text) => `<https://example.org/${text}>`,
  (text) => `| ${text} |\n|---|\n| ${text} |`,
  (text) => `:${text}:`,
  (text) => `\\${text}`,
]

/** As many that fit where little does, as in a reaction. */
export const SHORT: string[] = Array.from({ length: 1_000 }, (_, i) => {
  const short = RAW.filter((raw) => Buffer.byteLength(raw(9_999)) <= 64 && !/[\t\n]/.test(raw(0)))
  return short[i % short.length]!(5_000 + i)
})

export const PAYLOADS: string[] = WRAPS.flatMap((wrap, w) =>
  RAW.map((raw, r) => wrap(raw(w * RAW.length + r))),
)
