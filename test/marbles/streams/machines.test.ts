// From snapshots to machines: said when something about them has changed, and when they are gone.
import { map } from 'rxjs';
import { describe, test } from 'vitest';
import type { KubeObject } from '../../../src/kube/api.ts';
import { resources } from '../../../src/kube/resources.ts';
import { machinesOf } from '../../../src/streams/machines.ts';
import { record } from '../../core/builders.ts';
import { launcher, migration } from '../cast.ts';
import { type MarbleHelpers, marbles } from '../marbles.ts';
import type { Letter, Line } from '../stage.ts';
import { type Watched, watched } from './watched.ts';

const words = { w: 'web', d: 'db', W: 'web is gone', D: 'db is gone' };

const machines = (helpers: MarbleHelpers, play: Watched) =>
  watched(helpers, play).snapshots.pipe(
    machinesOf(),
    map(({ key, facts }) => `${key.machine}${facts === undefined ? ' is gone' : ''}`),
  );

const becomes = (state: (before: KubeObject) => KubeObject): Letter => ({
  name: 'move',
  becomes: (before = migration([])) => state(before),
});
const records = { web: record({ machine: 'web' }), db: record({ machine: 'db' }) };
const migrationLine = (diagram: string): Line => ({
  resource: resources.storageMigrations,
  diagram,
  letters: {
    /** It asks for web alone, and has undone db. */
    w: becomes((before) => ({
      ...before,
      spec: migration(['web'])['spec'],
      status: migration(['web'], { records: { web: records.web } })['status'],
    })),
    /** It asks for web alone, and db is not undone yet. */
    u: becomes((before) => ({ ...before, spec: migration(['web'])['spec'] })),
    /** It asks for both. */
    b: becomes((before) => ({ ...before, spec: migration(['web', 'db'])['spec'] })),
    /** Nobody can read it. */
    m: becomes((before) => ({ ...before, spec: { virtualMachines: 'both' } })),
    g: { name: 'move', gone: true },
  },
});

describe('machinesOf', () => {
  test('says every machine of a migration when every kind is listed, and nothing before', () => {
    marbles((helpers) => {
      const out = machines(helpers, { cluster: { vm: '(uU)-----h---' }, lists: { pods: '----(a|)' } });
      helpers.expectObservable(out, '^------------!').toBe('----(wd)-w', words);
    });
  });

  test('says the machines about which something has changed, and no other', () => {
    marbles((helpers) => {
      const cluster = {
        vm: '    (uU)--h---------',
        vmi: '   (rR)-----C------',
        vmim: '  -----------R----',
        first: ' (rR)---------t--',
      };
      const out = machines(helpers, { cluster });
      helpers.expectObservable(out, ' ^---------------!').toBe('(wd)--w--d-d-w', words);
    });
  });

  test('says nothing about a machine for which nothing has changed: repeated, late, and somebody else’s', () => {
    marbles((helpers) => {
      const stranger = (name: string): Letter => ({ name, becomes: () => launcher('first', name) });
      const cluster = {
        vm: '   (uU)--0-u-1-------',
        vmi: '  (rR)-----0---------',
        first: '(rR)------0-------',
      };
      const lines = [{ resource: resources.pods, diagram: ' --------------s--', letters: { s: stranger('mail') } }];
      const out = machines(helpers, { cluster, lines });
      helpers.expectObservable(out, ' ^-----------------!').toBe('(wd)----w', words);
    });
  });

  test('says every machine of a group when one of its copy pods is being deleted: a start waits for all of them', () => {
    marbles((helpers) => {
      const cluster = {
        vm: '    (oU)---------------',
        server: 'r--------------g---',
        client: 'r------t---g-------',
      };
      const out = machines(helpers, { cluster });
      // The pods mount claims of web alone; at its end the server was not being deleted.
      helpers.expectObservable(out, ' ^------------------!').toBe('(wd)---(wd)(wd)w', words);
    });
  });

  test('says a machine gone that nothing names any more, and takes it for a new one when it is named again', () => {
    marbles((helpers) => {
      const lines = [migrationLine('             ----u---w---b---')];
      const out = machines(helpers, { cluster: { vm: '(uU)------------' }, lines });
      helpers.expectObservable(out, '             ^---------------!').toBe('(wd)(wd)D---(wd)', words);
    });
  });

  test('says every machine gone with its migration, and says it once', () => {
    marbles((helpers) => {
      const lines = [migrationLine('             -----g------')];
      const out = machines(helpers, { cluster: { vm: '(uU)-----h--' }, lines });
      helpers.expectObservable(out, '             ^-----------!').toBe('(wd)-(WD)', words);
    });
  });

  test('says nothing of a migration that nobody can read: it is not gone', () => {
    marbles((helpers) => {
      const out = machines(helpers, { cluster: { vm: '(uU)----h-----' }, lines: [migrationLine('-----m----b---')] });
      helpers.expectObservable(out, '                         ^-------------!').toBe('(wd)------(wd)', words);
    });
  });

  test('finds out with the next list what it has missed', () => {
    marbles((helpers) => {
      const out = machines(helpers, {
        cluster: { vm: '(uU)---h-------' },
        cuts: { virtualmachines: '-----x' },
      });
      helpers.expectObservable(out, '^------------!').toBe('(wd)---w', words);
    });
  });
});
