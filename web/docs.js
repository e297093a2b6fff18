// The page of the API documentation: only its settings need a script.
import { PageSession } from './ui/session/pageSession.js';
import { SettingsDialog } from './ui/settings/settingsDialog.js';

new SettingsDialog();
new PageSession({ feeds: () => [] });
