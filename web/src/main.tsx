/** Where the page begins. */

import { render } from 'preact'

import { followPage } from './state/page'
import { App } from './view/App'

import './style/tokens.css'
import './style/base.css'
import './style/sidebar.css'
import './style/members.css'
import './style/sign-in.css'
import './style/shell.css'
import './style/text.css'
import './style/reactions.css'
import './style/timeline.css'
import './style/composer.css'
import './style/dialogs.css'
import './style/controls.css'
import './style/menu.css'
import './style/account.css'

followPage()
render(<App />, document.getElementById('app')!)
