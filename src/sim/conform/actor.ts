// Performs the acts of a recording on the simulated KubeVirt: the same requests, with versions of the simulation in place
// of the recorded ones, so that what was stale then is stale now.
import { type JsonPatchOperation, KubeFailure, type KubeObject, type ObjectRef } from '../../kube/api.ts';
import { resources } from '../../kube/resources.ts';
import type { ApiServer } from '../cluster.ts';
import { type KubeVirt, runsOn } from '../kubevirt/kubeVirt.ts';
import type { NodeSide } from '../kubevirt/nodeSide.ts';
import { isAnswer, type Recorded, type RecordedAct } from './recording.ts';
import type { Timeline } from './timeline.ts';

const seconds = (act: RecordedAct, field: string, more = 0): number | undefined => {
  const value = act.fields[field];
  return typeof value === 'number' ? value * 1000 + more : undefined;
};

const nodeSideOf = (act: RecordedAct): NodeSide => {
  const { copy, target } = act.fields;
  const liveCopyMs = seconds(act, 'copy_s');
  const handOverMs = seconds(act, 'ack_s');
  const shutdownMs = seconds(act, 'stop_s', 100);
  return {
    ...(copy === 'hold' || copy === 'succeed' || copy === 'fail' ? { copy } : {}),
    ...(target === undefined ? {} : { target: target === 'hold' ? 'hold' : 'release' }),
    ...(liveCopyMs === undefined ? {} : { liveCopyMs }),
    ...(handOverMs === undefined ? {} : { handOverMs }),
    ...(shutdownMs === undefined ? {} : { shutdownMs }),
  };
};

const cleaned = (object: KubeObject): KubeObject => {
  const { name, namespace, labels, annotations } = object.metadata;
  return {
    apiVersion: object.apiVersion,
    kind: object.kind,
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
    },
    spec: object['spec'],
  };
};

export interface Actor {
  readonly perform: (act: RecordedAct) => void;
  /** Creates the claims that the recording shows before this line. */
  readonly createClaims: (until: number) => void;
}

/** Acts on `server` and `kube` as `recorded` tells; answers are noted in `seen`. */
export const actorOf = (server: ApiServer, kube: KubeVirt, recorded: readonly Recorded[], seen: Timeline): Actor => {
  const namespace = recorded.find((line) => line.kind === 'event')?.object.metadata.namespace ?? 'default';
  const versions = new Map<string, string>();
  const claims = new Set<string>();
  const refOf = (act: RecordedAct): ObjectRef => ({ namespace, name: act.vm });
  const versionOf = (ref: ObjectRef): string =>
    server.read(resources.virtualMachines, ref)?.metadata.resourceVersion ?? '';

  /** The simulated version that stands for a recorded one; one that matches nothing if it was stale by then. */
  const versionFor = (version: string, act: RecordedAct): string => {
    const before = recorded.slice(0, recorded.indexOf(act));
    const newest = before.findLast(
      (line) => line.kind === 'event' && line.watch === 'virtualmachines' && line.object.metadata.name === act.vm,
    );
    const isNewest = newest?.kind === 'event' && newest.object.metadata.resourceVersion === version;
    return versions.get(version) ?? (isNewest ? versionOf(refOf(act)) : '1');
  };

  const operations = (patch: readonly JsonPatchOperation[], act: RecordedAct): readonly JsonPatchOperation[] =>
    patch.map((operation) =>
      operation.op === 'test' && operation.path === '/metadata/resourceVersion'
        ? { ...operation, value: versionFor(String(operation.value), act) }
        : operation,
    );

  /** What the recording answered tells which of its versions stands for the present one. */
  const learnVersion = (act: RecordedAct): void => {
    const answered = recorded
      .slice(recorded.indexOf(act))
      .find((line) => line.kind === 'act' && line.vm === act.vm && isAnswer(line));
    const version = answered?.kind === 'act' ? answered.fields['resourceVersion'] : undefined;
    if (version !== undefined) versions.set(String(version), versionOf(refOf(act)));
  };

  const answer = (act: RecordedAct, request: () => void): void => {
    let answered = 'accepted';
    try {
      request();
      learnVersion(act);
    } catch (failure) {
      if (!(failure instanceof KubeFailure)) throw failure;
      answered = String(failure.code);
    }
    const name = act.fields['patch'] === undefined ? act.act.replace(/ subresource$/, '') : 'patch';
    seen.note(`VM ${act.vm}`, 'answers', `${name} answered: ${answered}`);
  };

  const createVm = (act: RecordedAct): void => {
    const added = recorded.find(
      (line) => line.kind === 'event' && line.watch === 'virtualmachines' && line.object.metadata.name === act.vm,
    );
    if (added?.kind !== 'event') throw new Error(`the recording creates VM ${act.vm} but never shows it`);
    server.create(resources.virtualMachines, cleaned(added.object), 'user');
  };

  const perform = (act: RecordedAct): void => {
    const ref = refOf(act);
    const { patch } = act.fields;
    if (act.act === 'create VM') createVm(act);
    else if (act.act === 'node side') kube.nodeSide(ref, nodeSideOf(act));
    else if (act.act === 'guest shuts down') kube.guestShutdown(ref);
    else if (act.act.startsWith('guest crash')) kube.guestCrash(ref);
    else if (act.act === 'delete VMI') server.remove(resources.virtualMachineInstances, ref, 'user');
    else if (act.act === 'delete VM') server.remove(resources.virtualMachines, ref, 'user');
    else if (act.act === 'resourceVersion taken') {
      versions.set(String(act.fields['resourceVersion']), versionOf(ref));
    } else if (act.act === 'runs on') {
      seen.note(`VM ${act.vm}`, 'runs on', [...(runsOn(server, kube, ref) ?? [])].sort().join(', '));
    } else if (Array.isArray(patch)) {
      const made = { type: 'json', operations: operations(patch as readonly JsonPatchOperation[], act) } as const;
      answer(act, () => server.patch(resources.virtualMachines, ref, made, 'user'));
    } else if (act.act.endsWith(' subresource')) {
      const name = act.act.slice(0, -' subresource'.length);
      const kind = name === 'pause' || name === 'unpause' ? 'virtualmachineinstances' : 'virtualmachines';
      answer(act, () => server.call('subresources.kubevirt.io', kind, name, ref, {}, 'user'));
    } else throw new Error(`the recording has an act that is not known here: ${act.act}`);
  };

  const createClaims = (until: number): void => {
    for (const line of recorded.slice(0, until)) {
      if (line.kind !== 'event' || line.watch !== 'persistentvolumeclaims' || line.type !== 'ADDED') continue;
      const { name } = line.object.metadata;
      if (claims.has(name)) continue;
      claims.add(name);
      server.create(resources.persistentVolumeClaims, cleaned(line.object), 'user');
    }
  };
  return { perform, createClaims };
};
