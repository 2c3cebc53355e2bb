// The protocol's declarations, generated from those of the server; do not edit.
// `UPDATE_GENERATED=1 cargo test --test it generated` writes this file anew.

export const VERSION = 1
export const VERSION_MIN = 1

/** What version 1 fixes, whatever a server advertises. */
export const BOUNDS = {
  frameBytes: 65536,
  frameBytesBeforeLogin: 4096,
  depth: 8,
  mapEntries: 64,
  arrayItems: 1024,
  nameBytes: 64,
  nameChars: 32,
  textBytes: 16384,
  topicBytes: 1024,
} as const

/** Status codes by name; act on the class, `code / 100`. */
export const STATUS = {
  logout: 0,
  bad_frame: 100,
  frame_too_large: 101,
  too_deep: 102,
  bad_params: 103,
  unexpected: 104,
  version: 105,
  unknown_method: 106,
  auth_required: 201,
  bad_credentials: 202,
  guests_denied: 203,
  registration_closed: 204,
  tls_required: 205,
  replaced: 206,
  revoked: 207,
  invite_invalid: 208,
  password_weak: 209,
  name_invalid: 210,
  name_reserved: 211,
  name_taken: 212,
  name_registered: 213,
  no_account: 214,
  denied: 300,
  not_member: 301,
  banned: 302,
  not_found: 303,
  key_conflict: 304,
  key_expired: 305,
  exists: 306,
  rate: 400,
  quota: 401,
  too_many_connections: 402,
  too_large: 403,
  busy: 404,
  deadline: 405,
  slow_consumer: 410,
  idle: 411,
  login_timeout: 412,
  ping_timeout: 413,
  flood: 415,
  unavailable: 500,
  storage_full: 501,
  going_away: 503,
  server_full: 504,
  internal: 600,
} as const

/** An integer of 64 bits: a bigint where a number would lose digits. */
export type Uint64 = number | bigint

export interface Administered {
  /** What the command answers, as JSON: an object, or a list of them. */
  answer: string
  /** Why the command did nothing, in a sentence. */
  failed?: string
  /** How many rows were left out at the end of a list that is too long for a frame. */
  left_out: number
}

export interface BlockInfo {
  /** Identifies the account. */
  id: Uint64
  /** Its name. */
  name: string
}

export interface BlockList {
  /** The accounts, by `id`. */
  blocks: BlockInfo[]
  /** Whether there are more after the last. */
  more: boolean
}

export interface ByeEvent {
  /** The status code's number. */
  code: number
  /** The status code's name. */
  name: string
  /** One sentence for people. */
  text: string
  /** Do not connect again before; add a random part of the same length. */
  retry_after_ms?: Uint64
  /** Whether the name is kept for the token, so that the client can go on where it was. */
  resume: boolean
  /** The limit that was met. */
  limit?: string
  /** How much was used. */
  used?: Uint64
  /** How much is allowed. */
  allowed?: Uint64
}

export interface ConfiguredEvent {
  /** The room. */
  room: string
  /** Public or private. */
  kind: 'public' | 'private' | 'direct'
  /** Only moderators and owners may write. */
  announcement: boolean
  /** What a member must wait between two messages, in milliseconds. */
  slow_ms: number
  /** No entry older than this is kept, in milliseconds. */
  keep_ms?: Uint64
  /** No more entries than this are kept. */
  keep_entries?: Uint64
  /** No more bytes than this are kept. */
  keep_bytes?: Uint64
  /** Who did it. */
  by: string
}

export interface DeleteEvent {
  /** The room. */
  room: string
  /** Its place in the room's order. */
  seq: Uint64
  /** When the server took it, in milliseconds since 1970 UTC. */
  time: Uint64
  /** Who deleted it. */
  from: string
  /** The message. */
  re: Uint64
}

export interface DeviceInfo {
  /** Identifies the device. */
  id: Uint64
  /** What it called itself. */
  device: string
  /** When it logged in with the password, in milliseconds since 1970 UTC. */
  since: Uint64
  /** When it logged in last, in milliseconds since 1970 UTC. */
  seen: Uint64
  /** Whether it is connected. */
  online: boolean
  /** Whether it is the one that asks. */
  current: boolean
}

export interface DeviceList {
  /** The devices, the newest first. */
  devices: DeviceInfo[]
}

export interface EditEvent {
  /** The room. */
  room: string
  /** Its place in the room's order. */
  seq: Uint64
  /** When the server took it, in milliseconds since 1970 UTC. */
  time: Uint64
  /** Who changed it. */
  from: string
  /** The message. */
  re: Uint64
  /** Its new text. */
  text: string
}

export interface Empty {
}

export interface Entry {
  /** Its place in the room's order. */
  seq: Uint64
  /** When the server took it, in milliseconds since 1970 UTC. */
  time: Uint64
  /** What it is. */
  kind: 'message' | 'topic' | 'edit' | 'delete' | 'react' | 'unreact'
  /** The account that caused it. */
  from: string
  /** The text of a message; the new topic; the new text of an `edit`; the reaction of `react` and `unreact`. Empty if it was deleted. */
  text: string
  /** The message that it is about, or that it answers. */
  re?: Uint64
  /** When the message was last edited, in milliseconds since 1970 UTC. */
  edited?: Uint64
  /** When the text was deleted, in milliseconds since 1970 UTC. */
  deleted?: Uint64
  /** The reactions to the message, the one that was used first before the others. */
  reactions?: Reaction[]
}

export interface ErrorBody {
  /** The code's number; its hundreds are the class to act on. */
  code: number
  /** The code's name. */
  name: string
  /** One sentence for people. */
  text: string
  /** Whether the request took effect. */
  applied: 'no' | 'unknown'
  /** The limit that was met. */
  limit?: string
  /** How much was used or asked for. */
  used?: Uint64
  /** How much is allowed. */
  allowed?: Uint64
  /** Do not retry before; rounded up. */
  retry_after_ms?: Uint64
  /** A value that would be accepted, as a free name. */
  suggestion?: string
}

export interface Gone {
  /** Its name. */
  name: string
  /** Why it left. */
  reason: 'left' | 'logout' | 'lost' | 'timeout' | 'removed' | 'shutdown' | 'kicked' | 'banned' | 'deleted'
}

export interface HistoryPage {
  /** Continuity of the history. */
  epoch: Uint64
  /** The entries. */
  entries: Entry[]
  /** The oldest seq that the server still has. */
  first: Uint64
  /** The newest seq. */
  head: Uint64
  /** Whether there are more in the direction asked for. */
  more: boolean
}

export interface Hit {
  /** Its room. */
  room: string
  /** The message, as it is now. */
  entry: Entry
}

export interface InvitedEvent {
  /** The room. */
  room: string
  /** Who. */
  by: string
}

export interface JoinedEvent {
  /** The room. */
  room: string
  /** Their names; not more than 32, however many joined. */
  names: string[]
  /** How many joined. */
  count: number
  /** How many members there are now. */
  members: number
}

export interface LeftEvent {
  /** The room. */
  room: string
  /** Who left and why; not more than 32, however many left. */
  gone: Gone[]
  /** How many left. */
  count: number
  /** How many members there are now. */
  members: number
}

export interface Limits {
  /** Longest body of a frame, in bytes, once a name is held. */
  frame_bytes: Uint64
  /** Longest body of a frame, in bytes, before that. */
  frame_bytes_before_login: Uint64
  /** Longest text of a message, in bytes. */
  text_bytes: Uint64
  /** Longest topic, in bytes. */
  topic_bytes: Uint64
  /** Longest name, in bytes. */
  name_bytes: Uint64
  /** Requests that may be unanswered at once; the server reads no further until one is answered. */
  inflight: Uint64
  /** Requests per second that the session may send without being slowed. */
  requests_per_s: Uint64
  /** Requests that it may send at once after a pause. */
  requests_burst: Uint64
  /** Bytes per second that the session may send without being slowed. */
  bytes_per_s: Uint64
  /** Bytes that it may send at once after a pause. */
  bytes_burst: Uint64
  /** Rooms that an account may be in at once. */
  rooms_per_session: Uint64
  /** Most events of one page of history. */
  history_page: Uint64
  /** Most entries of one page of a list. */
  list_page: Uint64
  /** Bytes that may wait for a slow reader. */
  outbox_bytes: Uint64
  /** How long the oldest of them may wait, in milliseconds. */
  outbox_ms: Uint64
  /** Time from connecting until a name is held, in milliseconds. */
  login_ms: Uint64
  /** Silence after which the server sends `ping`, in milliseconds. */
  ping_ms: Uint64
  /** Silence after which the server takes the client for dead, in milliseconds. */
  dead_ms: Uint64
  /** Time without a request (but `ping`) after which the session ends, in milliseconds; 0: never. */
  idle_ms: Uint64
}

export interface LoggedIn {
  /** The name as everybody sees it. */
  name: string
  /** Whether the account ends with its name: at logout, or `hold_ms` after the connection was lost. */
  guest: boolean
  /** Whether the account may administer the server. */
  admin: boolean
  /** Keep it secret: it takes the name again after a lost connection; that of an account, until the device is logged out. */
  token: Uint8Array
  /** How long a guest's name is kept for the token after the connection is lost, in milliseconds. */
  hold_ms: Uint64
  /** The rooms that are being joined; a `room` event follows for each. */
  rooms: string[]
}

export interface MemberInfo {
  /** Identifies the member for as long as it holds its name. */
  id: Uint64
  /** The member's name. */
  name: string
  /** When it joined, in milliseconds since 1970 UTC. */
  since: Uint64
  /** What it may do. */
  role: 'member' | 'moderator' | 'owner'
  /** Whether it holds its name without an account. */
  guest: boolean
}

export interface MemberList {
  /** The members. */
  members: MemberInfo[]
  /** How many there are in all. */
  total: number
  /** Whether there are more after the last. */
  more: boolean
}

export interface MessageEvent {
  /** The room. */
  room: string
  /** Its place in the room's order. */
  seq: Uint64
  /** When the server took it, in milliseconds since 1970 UTC. */
  time: Uint64
  /** Who said it. */
  from: string
  /** What was said. */
  text: string
  /** The seq of the message that it answers. */
  re?: Uint64
}

export interface PingEvent {
}

export interface Pong {
  /** The server's time, in milliseconds since 1970 UTC. */
  time: Uint64
}

export interface RankedEvent {
  /** The room. */
  room: string
  /** Who. */
  name: string
  /** What it may do. */
  role: 'member' | 'moderator' | 'owner'
  /** Who did it. */
  by: string
}

export interface ReactEvent {
  /** The room. */
  room: string
  /** Its place in the room's order. */
  seq: Uint64
  /** When the server took it, in milliseconds since 1970 UTC. */
  time: Uint64
  /** Whose reaction it is. */
  from: string
  /** The message. */
  re: Uint64
  /** The reaction. */
  text: string
}

export interface Reaction {
  /** The reaction. */
  text: string
  /** How many accounts reacted so. */
  count: number
  /** Their names, the first of them before the others; not more than 10, however many they are. */
  names: string[]
}

export interface ReadEvent {
  /** The room. */
  room: string
  /** The newest seq that was read. */
  seq: Uint64
}

export interface RemovedEvent {
  /** The room. */
  room: string
  /** Why: `left` if another device of the account left. */
  reason: 'left' | 'logout' | 'lost' | 'timeout' | 'removed' | 'shutdown' | 'kicked' | 'banned' | 'deleted'
  /** The moderator or owner, if it was one. */
  by?: string
  /** What the moderator says about it. */
  text?: string
  /** Until when the account cannot come back, in milliseconds since 1970 UTC. */
  until?: Uint64
}

export interface RenamedEvent {
  /** The room, as it was called. */
  room: string
  /** Its new name. */
  name: string
  /** Who did it. */
  by: string
}

export interface RoomEvent {
  /** The room's name. */
  room: string
  /** What kind of room it is. */
  kind: 'public' | 'private' | 'direct'
  /** The other account's name, in a direct room. */
  with?: string
  /** Continuity of the history: when it differs from the one known, sequence numbers started anew. */
  epoch: Uint64
  /** The newest entry's seq; 0 if there is none. */
  seq: Uint64
  /** The oldest seq that `history` still has. */
  first: Uint64
  /** The topic. */
  topic: string
  /** How many members there are, this one included. */
  members: number
  /** What this one may do. */
  role: 'member' | 'moderator' | 'owner'
  /** Only moderators and owners may write. */
  announcement: boolean
  /** What a member must wait between two messages, in milliseconds; 0: nothing. */
  slow_ms: number
  /** No entry older than this is kept, in milliseconds, by the owner's wish. */
  keep_ms?: Uint64
  /** No more entries than this are kept, likewise. */
  keep_entries?: Uint64
  /** No more bytes than this are kept, likewise. */
  keep_bytes?: Uint64
  /** How far the account has read; a guest's reading is not kept. */
  read?: Uint64
}

export interface RoomInfo {
  /** The room's name. */
  room: string
  /** What kind of room it is. */
  kind: 'public' | 'private' | 'direct'
  /** The topic. */
  topic: string
  /** How many members there are. */
  members: number
}

export interface RoomList {
  /** The rooms, by name. */
  rooms: RoomInfo[]
  /** Whether there are more after the last. */
  more: boolean
}

export interface RoomState {
  /** The room's name. */
  room: string
  /** What kind of room it is. */
  kind: 'public' | 'private' | 'direct'
  /** The other account's name, in a direct room. */
  with?: string
  /** Continuity of the history: when it differs from the one known, sequence numbers started anew. */
  epoch: Uint64
  /** The newest entry's seq; 0 if there is none. */
  seq: Uint64
  /** The oldest seq that `history` still has. */
  first: Uint64
  /** The topic. */
  topic: string
  /** How many members there are, this one included. */
  members: number
  /** What this one may do. */
  role: 'member' | 'moderator' | 'owner'
  /** Only moderators and owners may write. */
  announcement: boolean
  /** What a member must wait between two messages, in milliseconds; 0: nothing. */
  slow_ms: number
  /** No entry older than this is kept, in milliseconds, by the owner's wish. */
  keep_ms?: Uint64
  /** No more entries than this are kept, likewise. */
  keep_entries?: Uint64
  /** No more bytes than this are kept, likewise. */
  keep_bytes?: Uint64
  /** How far the account has read; a guest's reading is not kept. */
  read?: Uint64
}

export interface Said {
  /** The entry's place in the room's order. */
  seq: Uint64
  /** When the server took it, in milliseconds since 1970 UTC. */
  time: Uint64
  /** Whether nothing was done: the key had been used before, and this is the earlier result; or a reaction was as asked already, and this is the message's place. */
  dup: boolean
}

export interface SearchPage {
  /** What was found. */
  hits: Hit[]
  /** Where to go on, as `before` of the next search; absent if everything was searched. */
  next?: Uint64
}

export interface StandingInfo {
  /** Identifies the account. */
  id: Uint64
  /** Its name. */
  name: string
  /** What it may do. */
  role: 'member' | 'moderator' | 'owner'
  /** Whether it may come in, though the room is private. */
  invited: boolean
  /** Until when it may not come in, in milliseconds since 1970 UTC. */
  banned_until?: Uint64
  /** Until when it may not write, in milliseconds since 1970 UTC. */
  muted_until?: Uint64
}

export interface StandingList {
  /** The accounts, by `id`. */
  standings: StandingInfo[]
  /** Whether there are more after the last. */
  more: boolean
}

export interface TopicEvent {
  /** The room. */
  room: string
  /** Its place in the room's order. */
  seq: Uint64
  /** When the server took it, in milliseconds since 1970 UTC. */
  time: Uint64
  /** Who changed it. */
  from: string
  /** The new topic; empty if it was cleared. */
  text: string
}

export interface TopicState {
  /** The topic; empty if there is none. */
  topic: string
  /** Who set it. */
  by?: string
  /** When it was set, in milliseconds since 1970 UTC. */
  time?: Uint64
  /** The seq under which it was set. */
  seq?: Uint64
}

export interface TypingEvent {
  /** The room. */
  room: string
  /** Who types. */
  from: string
  /** Whether it is typing. Take it back after 10 s without news. */
  active: boolean
}

export interface UnreactEvent {
  /** The room. */
  room: string
  /** Its place in the room's order. */
  seq: Uint64
  /** When the server took it, in milliseconds since 1970 UTC. */
  time: Uint64
  /** Whose reaction it was. */
  from: string
  /** The message. */
  re: Uint64
  /** The reaction. */
  text: string
}

export interface UnreadInfo {
  /** The room. */
  room: string
  /** How far it has read. */
  read: Uint64
  /** How many messages of others come after that; not more than 500 are counted. */
  unread: number
  /** How many of them name the account, by an `@` in front of its name. */
  mentions: number
}

export interface UnreadList {
  /** The rooms in which there is something to read, by name. */
  rooms: UnreadInfo[]
  /** Whether there are more after the last. */
  more: boolean
}

export interface Welcome {
  /** The version of the protocol that holds from now on. */
  version: number
  /** Program and version of the server. */
  server: string
  /** What an acknowledgement is worth. */
  durability: 'memory' | 'durable'
  /** What this server can do: `direct`, `resume`, or more; unknown words are ignored. */
  capabilities: string[]
  /** The bounds that hold for this session. */
  limits: Limits
  /** The server's clock, in milliseconds since 1970 UTC: what keys are best made from. */
  time: Uint64
  /** Whether a name can be taken without an account. */
  guests: boolean
  /** Who may make an account. */
  registration: 'open' | 'invite' | 'closed'
  /** A greeting for people. */
  motd?: string
}

export const SHAPES: Record<string, Record<string, string>> = {
  Administered: { answer: 'str', failed: 'str?', left_out: 'u32' },
  BlockInfo: { id: 'u64', name: 'str' },
  BlockList: { blocks: '1024*BlockInfo', more: 'bool' },
  ByeEvent: { code: 'u16', name: 'str', text: 'str', retry_after_ms: 'u64?', resume: 'bool', limit: 'str?', used: 'u64?', allowed: 'u64?' },
  ConfiguredEvent: { room: 'str', kind: 'str', announcement: 'bool', slow_ms: 'u32', keep_ms: 'u64?', keep_entries: 'u64?', keep_bytes: 'u64?', by: 'str' },
  DeleteEvent: { room: 'str', seq: 'u64', time: 'u64', from: 'str', re: 'u64' },
  DeviceInfo: { id: 'u64', device: 'str', since: 'u64', seen: 'u64', online: 'bool', current: 'bool' },
  DeviceList: { devices: '32*DeviceInfo' },
  EditEvent: { room: 'str', seq: 'u64', time: 'u64', from: 'str', re: 'u64', text: 'str' },
  Empty: {  },
  Entry: { seq: 'u64', time: 'u64', kind: 'str', from: 'str', text: 'str', re: 'u64?', edited: 'u64?', deleted: 'u64?', reactions: '32*Reaction?' },
  ErrorBody: { code: 'u16', name: 'str', text: 'str', applied: 'str', limit: 'str?', used: 'u64?', allowed: 'u64?', retry_after_ms: 'u64?', suggestion: 'str?' },
  Gone: { name: 'str', reason: 'str' },
  HistoryPage: { epoch: 'u64', entries: '1024*Entry', first: 'u64', head: 'u64', more: 'bool' },
  Hit: { room: 'str', entry: 'Entry' },
  InvitedEvent: { room: 'str', by: 'str' },
  JoinedEvent: { room: 'str', names: '32*str', count: 'u32', members: 'u32' },
  LeftEvent: { room: 'str', gone: '32*Gone', count: 'u32', members: 'u32' },
  Limits: { frame_bytes: 'u64', frame_bytes_before_login: 'u64', text_bytes: 'u64', topic_bytes: 'u64', name_bytes: 'u64', inflight: 'u64', requests_per_s: 'u64', requests_burst: 'u64', bytes_per_s: 'u64', bytes_burst: 'u64', rooms_per_session: 'u64', history_page: 'u64', list_page: 'u64', outbox_bytes: 'u64', outbox_ms: 'u64', login_ms: 'u64', ping_ms: 'u64', dead_ms: 'u64', idle_ms: 'u64' },
  LoggedIn: { name: 'str', guest: 'bool', admin: 'bool', token: 'bin32', hold_ms: 'u64', rooms: '1024*str' },
  MemberInfo: { id: 'u64', name: 'str', since: 'u64', role: 'str', guest: 'bool' },
  MemberList: { members: '1024*MemberInfo', total: 'u32', more: 'bool' },
  MessageEvent: { room: 'str', seq: 'u64', time: 'u64', from: 'str', text: 'str', re: 'u64?' },
  PingEvent: {  },
  Pong: { time: 'u64' },
  RankedEvent: { room: 'str', name: 'str', role: 'str', by: 'str' },
  ReactEvent: { room: 'str', seq: 'u64', time: 'u64', from: 'str', re: 'u64', text: 'str' },
  Reaction: { text: 'str', count: 'u32', names: '10*str' },
  ReadEvent: { room: 'str', seq: 'u64' },
  RemovedEvent: { room: 'str', reason: 'str', by: 'str?', text: 'str?', until: 'u64?' },
  RenamedEvent: { room: 'str', name: 'str', by: 'str' },
  RoomEvent: { room: 'str', kind: 'str', with: 'str?', epoch: 'u64', seq: 'u64', first: 'u64', topic: 'str', members: 'u32', role: 'str', announcement: 'bool', slow_ms: 'u32', keep_ms: 'u64?', keep_entries: 'u64?', keep_bytes: 'u64?', read: 'u64?' },
  RoomInfo: { room: 'str', kind: 'str', topic: 'str', members: 'u32' },
  RoomList: { rooms: '1024*RoomInfo', more: 'bool' },
  RoomState: { room: 'str', kind: 'str', with: 'str?', epoch: 'u64', seq: 'u64', first: 'u64', topic: 'str', members: 'u32', role: 'str', announcement: 'bool', slow_ms: 'u32', keep_ms: 'u64?', keep_entries: 'u64?', keep_bytes: 'u64?', read: 'u64?' },
  Said: { seq: 'u64', time: 'u64', dup: 'bool' },
  SearchPage: { hits: '1024*Hit', next: 'u64?' },
  StandingInfo: { id: 'u64', name: 'str', role: 'str', invited: 'bool', banned_until: 'u64?', muted_until: 'u64?' },
  StandingList: { standings: '1024*StandingInfo', more: 'bool' },
  TopicEvent: { room: 'str', seq: 'u64', time: 'u64', from: 'str', text: 'str' },
  TopicState: { topic: 'str', by: 'str?', time: 'u64?', seq: 'u64?' },
  TypingEvent: { room: 'str', from: 'str', active: 'bool' },
  UnreactEvent: { room: 'str', seq: 'u64', time: 'u64', from: 'str', re: 'u64', text: 'str' },
  UnreadInfo: { room: 'str', read: 'u64', unread: 'u32', mentions: 'u32' },
  UnreadList: { rooms: '1024*UnreadInfo', more: 'bool' },
  Welcome: { version: 'u16', server: 'str', durability: 'str', capabilities: '1024*str', limits: 'Limits', time: 'u64', guests: 'bool', registration: 'str', motd: 'str?' },
}

/** Each method with its parameters and its result. */
export interface Methods {
  hello: { params: HelloParams; result: Welcome }
  register: { params: RegisterParams; result: LoggedIn }
  login: { params: LoginParams; result: LoggedIn }
  quit: { params: QuitParams; result: Empty }
  logout: { params: LogoutParams; result: Empty }
  passwd: { params: PasswdParams; result: Empty }
  unregister: { params: UnregisterParams; result: Empty }
  devices: { params: DevicesParams; result: DeviceList }
  revoke: { params: RevokeParams; result: Empty }
  ping: { params: PingParams; result: Pong }
  rooms: { params: RoomsParams; result: RoomList }
  create: { params: CreateParams; result: RoomState }
  join: { params: JoinParams; result: RoomState }
  leave: { params: LeaveParams; result: Empty }
  members: { params: MembersParams; result: MemberList }
  topic: { params: TopicParams; result: TopicState }
  say: { params: SayParams; result: Said }
  edit: { params: EditParams; result: Said }
  delete: { params: DeleteParams; result: Said }
  react: { params: ReactParams; result: Said }
  history: { params: HistoryParams; result: HistoryPage }
  search: { params: SearchParams; result: SearchPage }
  typing: { params: TypingParams; result: Empty }
  mark_read: { params: MarkReadParams; result: Empty }
  unread: { params: UnreadParams; result: UnreadList }
  direct: { params: DirectParams; result: RoomState }
  invite: { params: InviteParams; result: Empty }
  kick: { params: KickParams; result: Empty }
  ban: { params: BanParams; result: Empty }
  mute: { params: MuteParams; result: Empty }
  rank: { params: RankParams; result: Empty }
  configure: { params: ConfigureParams; result: Empty }
  rename_room: { params: RenameRoomParams; result: Empty }
  delete_room: { params: DeleteRoomParams; result: Empty }
  block: { params: BlockParams; result: Empty }
  blocks: { params: BlocksParams; result: BlockList }
  standings: { params: StandingsParams; result: StandingList }
  admin: { params: AdminParams; result: Administered }
}

/** The map that is each method's result. */
export const RESULTS: Record<keyof Methods, string> = {
  hello: 'Welcome',
  register: 'LoggedIn',
  login: 'LoggedIn',
  quit: 'Empty',
  logout: 'Empty',
  passwd: 'Empty',
  unregister: 'Empty',
  devices: 'DeviceList',
  revoke: 'Empty',
  ping: 'Pong',
  rooms: 'RoomList',
  create: 'RoomState',
  join: 'RoomState',
  leave: 'Empty',
  members: 'MemberList',
  topic: 'TopicState',
  say: 'Said',
  edit: 'Said',
  delete: 'Said',
  react: 'Said',
  history: 'HistoryPage',
  search: 'SearchPage',
  typing: 'Empty',
  mark_read: 'Empty',
  unread: 'UnreadList',
  direct: 'RoomState',
  invite: 'Empty',
  kick: 'Empty',
  ban: 'Empty',
  mute: 'Empty',
  rank: 'Empty',
  configure: 'Empty',
  rename_room: 'Empty',
  delete_room: 'Empty',
  block: 'Empty',
  blocks: 'BlockList',
  standings: 'StandingList',
  admin: 'Administered',
}

export interface HelloParams {
  /** The highest version that the client speaks. */
  version: number
  /** The lowest version that the client speaks; `version` if absent. */
  version_min?: number
  /** Program and version of the client, for the operator's eyes. */
  client?: string
  /** Give up if the request's turn has not come within this many milliseconds. */
  timeout_ms?: number
}

export interface RegisterParams {
  /** The account's name. */
  name: string
  /** Its password: at least 8 characters, and not the name. */
  password: string
  /** The code of an invitation, where the server wants one. */
  invite?: string
  /** What the list of devices calls this one. */
  device?: string
  /** Give up if the request's turn has not come within this many milliseconds. */
  timeout_ms?: number
}

export interface LoginParams {
  /** The name to be known by. */
  name: string
  /** The account's password. This device gets a token of its own. */
  password?: string
  /** The `token` of an earlier login: takes the same name again, ending an older session of it. */
  token?: Uint8Array
  /** What the list of devices calls this one, if it is new. */
  device?: string
  /** Give up if the request's turn has not come within this many milliseconds. */
  timeout_ms?: number
}

export interface QuitParams {
  /** Give up if the request's turn has not come within this many milliseconds. */
  timeout_ms?: number
}

export interface LogoutParams {
  /** Log out all devices of the account. */
  all?: boolean
  /** Give up if the request's turn has not come within this many milliseconds. */
  timeout_ms?: number
}

export interface PasswdParams {
  /** The password that holds now. */
  old: string
  /** The password that is to hold: at least 8 characters, and not the name. */
  new: string
  /** Give up if the request's turn has not come within this many milliseconds. */
  timeout_ms?: number
}

export interface UnregisterParams {
  /** The account's password. */
  password: string
  /** Give up if the request's turn has not come within this many milliseconds. */
  timeout_ms?: number
}

export interface DevicesParams {
  /** Give up if the request's turn has not come within this many milliseconds. */
  timeout_ms?: number
}

export interface RevokeParams {
  /** The device's `id`. */
  device: Uint64
  /** Give up if the request's turn has not come within this many milliseconds. */
  timeout_ms?: number
}

export interface PingParams {
  /** Give up if the request's turn has not come within this many milliseconds. */
  timeout_ms?: number
}

export interface RoomsParams {
  /** Start after this room's name. */
  after?: string
  /** At most so many; the page's bound is the default. */
  limit?: number
  /** Give up if the request's turn has not come within this many milliseconds. */
  timeout_ms?: number
}

export interface CreateParams {
  /** The new room's name. */
  room: string
  /** Its topic. */
  topic?: string
  /** Whether only those may know of it who are invited. */
  private?: boolean
  /** Give up if the request's turn has not come within this many milliseconds. */
  timeout_ms?: number
}

export interface JoinParams {
  /** The room. */
  room: string
  /** Give up if the request's turn has not come within this many milliseconds. */
  timeout_ms?: number
}

export interface LeaveParams {
  /** The room. */
  room: string
  /** Give up if the request's turn has not come within this many milliseconds. */
  timeout_ms?: number
}

export interface MembersParams {
  /** The room. */
  room: string
  /** Start after this member's `id`. */
  after?: Uint64
  /** At most so many; the page's bound is the default. */
  limit?: number
  /** Give up if the request's turn has not come within this many milliseconds. */
  timeout_ms?: number
}

export interface TopicParams {
  /** The room. */
  room: string
  /** The new topic. */
  topic?: string
  /** Give up if the request's turn has not come within this many milliseconds. */
  timeout_ms?: number
}

export interface SayParams {
  /** The room. */
  room: string
  /** The text. */
  text: string
  /** The seq of the message that this one answers. */
  re?: Uint64
  /** Made by the client, the same on every retry: the text is said once, however often it is sent. Best a UUID of version 7, which begins with the time; any other 16 bytes will do. */
  key?: Uint8Array
  /** Give up if the request's turn has not come within this many milliseconds. */
  timeout_ms?: number
}

export interface EditParams {
  /** The room. */
  room: string
  /** The message. */
  seq: Uint64
  /** The new text. */
  text: string
  /** As in `say`. */
  key?: Uint8Array
  /** Give up if the request's turn has not come within this many milliseconds. */
  timeout_ms?: number
}

export interface DeleteParams {
  /** The room. */
  room: string
  /** The message. */
  seq: Uint64
  /** As in `say`. */
  key?: Uint8Array
  /** Give up if the request's turn has not come within this many milliseconds. */
  timeout_ms?: number
}

export interface ReactParams {
  /** The room. */
  room: string
  /** The message. */
  seq: Uint64
  /** The reaction: an emoji, or a short word. */
  reaction: string
  /** Whether it is to be there. */
  on: boolean
  /** As in `say`. */
  key?: Uint8Array
  /** Give up if the request's turn has not come within this many milliseconds. */
  timeout_ms?: number
}

export interface HistoryParams {
  /** The room. */
  room: string
  /** Only entries before this seq: the newest of them. */
  before?: Uint64
  /** Only entries after this seq: the oldest of them. */
  after?: Uint64
  /** The entries around this seq: about as many before it as from it on. */
  around?: Uint64
  /** The entries from this time on, in milliseconds since 1970 UTC: the oldest of them. */
  at?: Uint64
  /** At most so many; the page's bound is the default. */
  limit?: number
  /** Give up if the request's turn has not come within this many milliseconds. */
  timeout_ms?: number
}

export interface SearchParams {
  /** Words that must all be in the text, also inside of others; one of two characters or more. */
  text: string
  /** In this room only. */
  room?: string
  /** Said by the account of this name only. */
  from?: string
  /** Go on behind an earlier page: its `next`. */
  before?: Uint64
  /** At most so many; the page's bound is the default. */
  limit?: number
  /** Give up if the request's turn has not come within this many milliseconds. */
  timeout_ms?: number
}

export interface TypingParams {
  /** The room. */
  room: string
  /** Whether it is typing. */
  active: boolean
  /** Give up if the request's turn has not come within this many milliseconds. */
  timeout_ms?: number
}

export interface MarkReadParams {
  /** The room. */
  room: string
  /** The newest seq that was read. */
  seq: Uint64
  /** Give up if the request's turn has not come within this many milliseconds. */
  timeout_ms?: number
}

export interface UnreadParams {
  /** Start after this room's name. */
  after?: string
  /** At most so many; the page's bound is the default. */
  limit?: number
  /** Give up if the request's turn has not come within this many milliseconds. */
  timeout_ms?: number
}

export interface DirectParams {
  /** The other account's name. */
  name: string
  /** Give up if the request's turn has not come within this many milliseconds. */
  timeout_ms?: number
}

export interface InviteParams {
  /** The room. */
  room: string
  /** The account's name. */
  name: string
  /** Give up if the request's turn has not come within this many milliseconds. */
  timeout_ms?: number
}

export interface KickParams {
  /** The room. */
  room: string
  /** The account's name. */
  name: string
  /** What it is told about it. */
  text?: string
  /** Give up if the request's turn has not come within this many milliseconds. */
  timeout_ms?: number
}

export interface BanParams {
  /** The room. */
  room: string
  /** The account's name. */
  name: string
  /** For how long, in milliseconds; 0 ends a ban; for good if absent. */
  ms?: Uint64
  /** What it is told about it. */
  text?: string
  /** Give up if the request's turn has not come within this many milliseconds. */
  timeout_ms?: number
}

export interface MuteParams {
  /** The room. */
  room: string
  /** The account's name. */
  name: string
  /** For how long, in milliseconds; 0 ends it; for good if absent. */
  ms?: Uint64
  /** Give up if the request's turn has not come within this many milliseconds. */
  timeout_ms?: number
}

export interface RankParams {
  /** The room. */
  room: string
  /** The account's name. */
  name: string
  /** What it may do. */
  role: 'member' | 'moderator' | 'owner'
  /** Give up if the request's turn has not come within this many milliseconds. */
  timeout_ms?: number
}

export interface ConfigureParams {
  /** The room. */
  room: string
  /** Whether only those may know of it who are invited. Who is in stays in. */
  private?: boolean
  /** Whether only moderators and owners may write. */
  announcement?: boolean
  /** What a member must wait between two messages, in milliseconds; 0: nothing. */
  slow_ms?: number
  /** Keep no entry that is older, in milliseconds; 0: as the server does. It never keeps more. */
  keep_ms?: Uint64
  /** Keep no more entries; 0: as the server does. */
  keep_entries?: Uint64
  /** Keep no more bytes; 0: as the server does. */
  keep_bytes?: Uint64
  /** Give up if the request's turn has not come within this many milliseconds. */
  timeout_ms?: number
}

export interface RenameRoomParams {
  /** The room. */
  room: string
  /** Its new name. */
  name: string
  /** Give up if the request's turn has not come within this many milliseconds. */
  timeout_ms?: number
}

export interface DeleteRoomParams {
  /** The room. */
  room: string
  /** Give up if the request's turn has not come within this many milliseconds. */
  timeout_ms?: number
}

export interface BlockParams {
  /** The other account's name. */
  name: string
  /** Whether it is to be blocked. */
  on: boolean
  /** Give up if the request's turn has not come within this many milliseconds. */
  timeout_ms?: number
}

export interface BlocksParams {
  /** Start after this account's `id`. */
  after?: Uint64
  /** At most so many; the page's bound is the default. */
  limit?: number
  /** Give up if the request's turn has not come within this many milliseconds. */
  timeout_ms?: number
}

export interface StandingsParams {
  /** The room. */
  room: string
  /** Start after this account's `id`. */
  after?: Uint64
  /** At most so many; the page's bound is the default. */
  limit?: number
  /** Give up if the request's turn has not come within this many milliseconds. */
  timeout_ms?: number
}

export interface AdminParams {
  /** The command; `commands` lists them. */
  command: string
  /** What it is given: a JSON object of strings, by the names of its parameters. */
  arguments?: string
  /** Give up if the request's turn has not come within this many milliseconds. */
  timeout_ms?: number
}

/** Each event with its payload. */
export interface Events {
  message: MessageEvent
  topic: TopicEvent
  edit: EditEvent
  delete: DeleteEvent
  react: ReactEvent
  unreact: UnreactEvent
  room: RoomEvent
  joined: JoinedEvent
  left: LeftEvent
  removed: RemovedEvent
  invited: InvitedEvent
  configured: ConfiguredEvent
  renamed: RenamedEvent
  ranked: RankedEvent
  read: ReadEvent
  typing: TypingEvent
  ping: PingEvent
  bye: ByeEvent
}

/** The map that is each event's payload. */
export const EVENTS: Record<string, string> = {
  message: 'MessageEvent',
  topic: 'TopicEvent',
  edit: 'EditEvent',
  delete: 'DeleteEvent',
  react: 'ReactEvent',
  unreact: 'UnreactEvent',
  room: 'RoomEvent',
  joined: 'JoinedEvent',
  left: 'LeftEvent',
  removed: 'RemovedEvent',
  invited: 'InvitedEvent',
  configured: 'ConfiguredEvent',
  renamed: 'RenamedEvent',
  ranked: 'RankedEvent',
  read: 'ReadEvent',
  typing: 'TypingEvent',
  ping: 'PingEvent',
  bye: 'ByeEvent',
}
