// The second half of the random schedules (seeds.test.ts), in a file of its own so that two workers share them.
import { seeds } from './seeds.ts';

seeds(1, 2);
