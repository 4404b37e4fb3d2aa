// The KubeVirt custom resource as it is kept: the settings without which nothing migrates (contract §1.2).
import type { KubeVirtSettings } from '../../core/objects.ts';
import { projection, section, text, texts } from './fields.ts';

export const projectKubeVirt = projection<KubeVirtSettings>('KubeVirt', (raw, identity) => {
  const spec = section(raw, 'spec', '');
  const status = section(raw, 'status', '');
  const update = section(spec, 'workloadUpdateStrategy', 'spec');
  return {
    ...identity,
    rolloutStrategy: text(section(spec, 'configuration', 'spec'), 'vmRolloutStrategy', 'spec.configuration'),
    workloadUpdateMethods: texts(update, 'workloadUpdateMethods', 'spec.workloadUpdateStrategy'),
    phase: text(status, 'phase', 'status'),
    version: text(status, 'observedKubeVirtVersion', 'status'),
  };
});
