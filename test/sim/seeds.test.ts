// Random schedules: fleets, people, faults and daemons from a seed. No law is broken while things go wrong, and in the
// quiet after it everything comes to its end. This file plays the first half, and a seed that is to be played again.
import { seeds } from './seeds.ts';

seeds(0, 2);
