/** What the build puts in. */
declare const __VERSION__: string

declare module 'virtual:emoji' {
  /** Character, name, group, shortcodes, tags. */
  const data: [string, string, number, string, string][]
  export default data
}
