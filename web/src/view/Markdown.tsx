/** A text of a message, as elements. Only text nodes carry what people wrote. */

import type { PhrasingContent, Root, RootContent } from 'mdast'
import type { ComponentChildren, VNode } from 'preact'
import { useState } from 'preact/hooks'

import { me } from '../state/chat'
import { isOnlyEmoji, parse, safeHref } from '../text/markdown'
import { cutAtMentions } from '../text/names'
import { Icon, icons } from './Icon'

type Node = RootContent | PhrasingContent

export function Markdown({ text }: { text: string }): VNode {
  if (isOnlyEmoji(text)) return <p class="emoji-only">{text}</p>
  return <>{children(parse(text))}</>
}

function children(node: Root | { children: Node[] }): ComponentChildren {
  return node.children.map((child, i) => <Part key={i} node={child} />)
}

function Part({ node }: { node: Node }): VNode | null {
  switch (node.type) {
    case 'text':
      return <Text value={node.value} />
    case 'paragraph':
      return <p>{children(node)}</p>
    case 'heading':
      return <p class="heading">{children(node)}</p>
    case 'emphasis':
      return <em>{children(node)}</em>
    case 'strong':
      return <strong>{children(node)}</strong>
    case 'delete':
      return <s>{children(node)}</s>
    case 'inlineCode':
      return <code>{node.value}</code>
    case 'code':
      return <Code value={node.value} lang={node.lang ?? ''} />
    case 'blockquote':
      return <blockquote>{children(node)}</blockquote>
    case 'list':
      return node.ordered ? (
        <ol start={node.start ?? 1}>{children(node)}</ol>
      ) : (
        <ul>{children(node)}</ul>
      )
    case 'listItem':
      return <li>{children(node)}</li>
    case 'link':
      return <Link url={node.url}>{children(node)}</Link>
    case 'break':
      return <br />
    case 'thematicBreak':
      return <hr />
    default:
      return 'children' in node ? <>{children(node as { children: Node[] })}</> : null
  }
}

function Text({ value }: { value: string }): VNode {
  const parts = cutAtMentions(value)
  if (parts.length === 1) return <>{value}</>
  return (
    <>
      {parts.map((part, i) =>
        i % 2 === 0 ? part : <span key={i} class={`mention ${isMe(part) ? 'me' : ''}`}>{part}</span>,
      )}
    </>
  )
}

const isMe = (mention: string): boolean => mention.slice(1).toLowerCase() === me.value?.toLowerCase()

function Link({ url, children }: { url: string; children: ComponentChildren }): VNode {
  const href = safeHref(url)
  if (!href) return <span class="unsafe" title="This link leads nowhere safe">{children}</span>
  return (
    <a href={href} target="_blank" rel="noopener noreferrer nofollow ugc" title={href}>
      {children}
    </a>
  )
}

function Code({ value, lang }: { value: string; lang: string }): VNode {
  const [copied, setCopied] = useState(false)
  const copy = (): void => {
    void navigator.clipboard.writeText(value).then(() => {
      setCopied(true)
      setTimeout(() => setCopied(false), 1_500)
    })
  }
  return (
    <div class="code">
      <pre tabIndex={0} aria-label={lang ? `Code, ${lang}` : 'Code'}>
        <code>{value}</code>
      </pre>
      <button type="button" class="icon small" aria-label="Copy the code" onClick={copy}>
        <Icon node={copied ? icons.Check : icons.Copy} />
      </button>
    </div>
  )
}
