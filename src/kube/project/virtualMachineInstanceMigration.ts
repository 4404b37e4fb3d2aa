// VirtualMachineInstanceMigration as it is kept. KubeVirt deletes these soon (contract §0.5), so what they say is
// recorded elsewhere the moment it matters.
import type { VirtualMachineInstanceMigration } from '../../core/objects.ts';
import { projection, section, share, text } from './fields.ts';
import { migrationStateOf } from './migrationState.ts';

export const projectVirtualMachineInstanceMigration = projection<VirtualMachineInstanceMigration>(
  'VirtualMachineInstanceMigration',
  (raw, identity) => {
    const status = section(raw, 'status', '');
    return {
      ...identity,
      vmiName: text(section(raw, 'spec', ''), 'vmiName', 'spec'),
      phase: share(text(status, 'phase', 'status')),
      createdAt: text(section(raw, 'metadata', ''), 'creationTimestamp', 'metadata'),
      migrationState: migrationStateOf(status),
    };
  },
);
