/** What somebody types to search, as a question to the server. */

export interface Question {
  text: string
  from?: string
  room?: string
}

/** A question as it was typed: `from:name` asks for what one person said. */
export function questionOf(text: string, room: string | undefined): Question | undefined {
  let from: string | undefined
  const words = text.replace(/(?:^|\s)from:(\S+)/giu, (_, name: string) => {
    from = name.replace(/^@/, '')
    return ' '
  })
  const wanted = words.trim()
  // The server looks for words of two letters at least.
  if (!wanted.split(/\s+/u).some((word) => [...word].length >= 2)) return undefined
  return { text: wanted, ...(from ? { from } : {}), ...(room === undefined ? {} : { room }) }
}
