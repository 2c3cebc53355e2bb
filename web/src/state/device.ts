/** What the account's list of devices calls this browser: `Firefox on Linux`. */

/** In this order: most browsers also claim to be those that come later. */
const BROWSERS: [RegExp, string][] = [
  [/Edg\w*\//, 'Edge'], [/OPR\//, 'Opera'], [/SamsungBrowser\//, 'Samsung Internet'], [/Firefox\/|FxiOS\//, 'Firefox'],
  [/Chrome\/|CriOS\/|Chromium\//, 'Chrome'], [/Safari\//, 'Safari'],
]
const SYSTEMS: [RegExp, string][] = [
  [/Android/, 'Android'], [/iPhone|iPod/, 'iPhone'], [/iPad/, 'iPad'], [/Windows/, 'Windows'],
  [/Mac OS X|Macintosh/, 'Mac'], [/CrOS/, 'ChromeOS'], [/Linux/, 'Linux'],
]

export function deviceName(agent = navigator.userAgent): string {
  const found = (list: [RegExp, string][]): string | undefined => list.find(([sign]) => sign.test(agent))?.[1]
  const [browser, system] = [found(BROWSERS) ?? 'Browser', found(SYSTEMS)]
  return system ? `${browser} on ${system}` : browser
}
