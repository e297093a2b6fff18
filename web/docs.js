// The page of the API is whole without this: it only opens the settings.
import { SettingsDialog } from './ui/settingsdialog.js';

new SettingsDialog();
