// Giving a live migration up: written down like all that must survive a restart. The reverting comes by itself, for a
// record that is given up is a cause to revert.

import { act, type Decision } from './decision.ts';
import type { MachineFacts } from './facts.ts';
import type { MigrationRecord } from './storageMigration.ts';

/** Tries this machine no more until its spec changes; `found` is what was seen, as a clause. */
export const giveUpLive = (facts: MachineFacts, record: MigrationRecord, reason: string, found: string): Decision => {
  const { generation } = facts.view.migration;
  const message = `${found}. Mend the cause; any change of spec, such as pausing and resuming, tries again`;
  return act('Failed', {
    kind: 'record',
    why: 'gaveUp',
    record: { ...record, gaveUp: { generation, reason, message } },
  });
};
