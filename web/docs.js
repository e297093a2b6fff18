// The page of the API is whole without this: it only opens the settings.
import { SettingsDialog } from './ui/settings/settingsDialog.js';

new SettingsDialog();
