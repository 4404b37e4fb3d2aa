// VirtualMachine as it is kept. Volumes and templates stay to the letter, because a revert must restore them so.
import type { RunStrategy, VirtualMachine } from '../../core/objects.ts';
import {
  condition,
  describe,
  entries,
  type Fields,
  flag,
  projection,
  requiredText,
  section,
  text,
  Unexpected,
  whole,
} from './fields.ts';

const strategies: ReadonlySet<string> = new Set<RunStrategy>([
  'Always',
  'Halted',
  'Manual',
  'RerunOnFailure',
  'Once',
  'WaitAsReceiver',
]);

/** Exactly one of the two fields is set (contract §6); anything else is a strategy that we do not know. */
const runStrategyOf = (spec: Fields): RunStrategy => {
  const strategy = text(spec, 'runStrategy', 'spec');
  const running = spec['running'];
  if (running === undefined || running === null) {
    return strategies.has(strategy) ? (strategy as RunStrategy) : 'Unknown';
  }
  if (strategy !== '') return 'Unknown';
  return flag(spec, 'running', 'spec') ? 'Always' : 'Halted';
};

const requestsOf = (status: Fields): VirtualMachine['requests'] =>
  entries(status, 'stateChangeRequests', 'status').map((request, index) => {
    const action = request['action'];
    if (action === 'Start' || action === 'Stop') return action;
    throw new Unexpected(`status.stateChangeRequests[${index}].action`, describe(action), 'Start or Stop');
  });

/** Disks that KubeVirt refuses to move while the machine runs (contract §1.3). */
const immovableOf = (template: Fields): VirtualMachine['immovable'] => {
  const domain = section(template, 'domain', 'spec.template.spec');
  const devices = section(domain, 'devices', 'spec.template.spec.domain');
  const at = 'spec.template.spec.domain.devices';
  const found: { volume: string; why: 'shareable' | 'lun' | 'virtiofs' }[] = [];
  entries(devices, 'disks', at).forEach((disk, index) => {
    const volume = (): string => requiredText(disk, 'name', `${at}.disks[${index}]`);
    if (isSet(disk['lun'])) found.push({ volume: volume(), why: 'lun' });
    else if (flag(disk, 'shareable', `${at}.disks[${index}]`)) found.push({ volume: volume(), why: 'shareable' });
  });
  entries(devices, 'filesystems', at).forEach((filesystem, index) => {
    found.push({ volume: requiredText(filesystem, 'name', `${at}.filesystems[${index}]`), why: 'virtiofs' });
  });
  return found;
};

const isSet = (value: unknown): boolean => value !== undefined && value !== null;

/** `offSince` is left open: the store's fold fills it in, since one version alone cannot tell. */
export const projectVirtualMachine = projection<VirtualMachine>('VirtualMachine', (raw, identity) => {
  const spec = section(raw, 'spec', '');
  const status = section(raw, 'status', '');
  const template = section(section(spec, 'template', 'spec'), 'spec', 'spec.template');
  const restart = condition(status, 'RestartRequired');
  return {
    ...identity,
    generation: whole(section(raw, 'metadata', ''), 'generation', 'metadata'),
    runStrategy: runStrategyOf(spec),
    actedRunStrategy: text(status, 'runStrategy', 'status'),
    requests: requestsOf(status),
    created: flag(status, 'created', 'status'),
    updateVolumesStrategy: text(spec, 'updateVolumesStrategy', 'spec'),
    volumes: entries(template, 'volumes', 'spec.template.spec'),
    dataVolumeTemplates: entries(spec, 'dataVolumeTemplates', 'spec'),
    immovable: immovableOf(template),
    restartRequired: restart?.status === 'True' ? restart.message || restart.reason || 'RestartRequired' : undefined,
    manualRecoveryRequired: condition(status, 'ManualRecoveryRequired')?.status === 'True',
    offSince: undefined,
    offSinceMs: undefined,
  };
});
