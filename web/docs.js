// The page of the API documentation: only its settings need a script.
import { SettingsDialog } from './ui/settings/settingsDialog.js';

new SettingsDialog();
