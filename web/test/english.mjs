// Loaded before every unit test (see package.json): sentences are English in them, as on a page in English.
import { readFileSync } from 'node:fs';
import { use } from '../text.js';

use(JSON.parse(readFileSync(new URL('../../views/text/en.json', import.meta.url), 'utf8')), 'en');
