/** Icons as inline SVG. They only decorate: what they mean stands in the label beside them. */

import {
  ArrowDown, AtSign, Ban, Check, CircleAlert, Copy, Ellipsis, Eye, EyeOff, Hash, Lock, LogOut, Menu, MessageCircle,
  MonitorSmartphone, Pencil, Plus, Quote, Reply, Search, SendHorizontal, Settings, SlidersHorizontal, SmilePlus, Trash2, Users,
  WifiOff, X, type IconNode,
} from 'lucide'
import { h, type VNode } from 'preact'

export const icons = {
  ArrowDown, AtSign, Ban, Check, CircleAlert, Copy, Ellipsis, Eye, EyeOff, Hash, Lock, LogOut, Menu, MessageCircle,
  MonitorSmartphone, Pencil, Plus, Quote, Reply, Search, SendHorizontal, Settings, SlidersHorizontal, SmilePlus, Trash2, Users,
  WifiOff, X,
}

export function Icon({ node }: { node: IconNode }): VNode {
  return (
    <svg class="glyph" viewBox="0 0 24 24" aria-hidden="true">
      {node.map(([tag, attributes], i) => h(tag, { key: i, ...(attributes as object) }))}
    </svg>
  )
}
