// What a daemon must take as it comes, as diagrams over the whole of it: restarts, watches that repeat, delay, reorder
// or lose what happened, writes under way while the machine changes. The letters are told in letters.ts.
import { describe, test } from 'vitest';
import { offline, patched, record } from '../core/builders.ts';
import { migration } from './cast.ts';
import { expectPlay } from './play.ts';

/** As a predecessor left it: a copy was begun when the VM was seen off, at the version that the stage begins with. */
const copying = migration(['web'], {
  records: {
    web: record({
      machine: 'web',
      offline: offline({ id: '1000', offSince: '1000', startedAt: new Date(0).toISOString() }),
    }),
  },
});

/** As a predecessor left it: the VM names B, and KubeVirt copies. */
const copyingLive = migration(['web'], {
  records: { web: record({ machine: 'web', live: patched({ vmiUid: 'vmi-web', vmGeneration: 0 }) }) },
});

describe('the daemon', () => {
  describe('after a restart', () => {
    test('a running copy goes on: nothing is created, and its end is taken down', () => {
      expectPlay(
        ['web'],
        {
          vm: '     o-----------------',
          server: ' r------------g----',
          client: ' r-----d----g------',
        },
        {
          records: '-------w------k-d',
          writes: ' -------(xy)---b',
        },
        { migration: copying },
      );
    });

    test('nothing is begun before the start-up hold is over', () => {
      expectPlay(
        ['web'],
        {
          vm: '     o-------------------',
          server: ' ---------------r----',
          client: ' ----------------r---',
        },
        {
          records: '-----------o',
          writes: ' -----------sc',
        },
        { options: { startupHoldMs: 10 } },
      );
    });

    test('the pods of a copy that was only written down are made when the start-up hold is over', () => {
      expectPlay(
        ['web'],
        {
          vm: '     o-------------------',
          server: ' --------------r-----',
          client: ' ---------------r----',
        },
        {
          records: '',
          writes: ' ----------sc',
        },
        { migration: copying, options: { startupHoldMs: 10 } },
      );
    });

    test('what must end is ended in spite of the start-up hold', () => {
      expectPlay(
        ['web'],
        {
          vm: '     u-------',
          vmi: '    r-------',
          first: '  r-------',
          server: ' r-----g-',
          client: ' r----g--',
        },
        {
          records: '-v',
          writes: ' (xy)',
        },
        { migration: copying, options: { startupHoldMs: 90 } },
      );
    });

    test('a live migration goes on: nothing is written until the guest has switched over', () => {
      expectPlay(
        ['web'],
        {
          vm: '     b---------------',
          vmi: '    c-------s---e---',
          vmim: '   r-----------d---',
          first: '  r---------------',
          second: ' r---------------',
        },
        {
          records: '---------s---d',
          writes: ' ',
        },
        { migration: copyingLive },
      );
    });

    test('a machine that was stopped meanwhile is reverted at once, in spite of the start-up hold', () => {
      expectPlay(
        ['web'],
        {
          vm: '     c-----',
          vmi: '    c-t---',
          vmim: '   r-----',
          first: '  r-----',
          second: ' r-----',
        },
        {
          records: '',
          writes: ' a',
        },
        { migration: copyingLive, options: { startupHoldMs: 90 } },
      );
    });

    test('a VMI that ended unseen in a live migration is left to a person', () => {
      expectPlay(
        ['web'],
        {
          vm: '     d-------------------',
        },
        {
          records: '',
          writes: ' ',
        },
        { migration: copyingLive },
      );
    });
  });

  describe('a watch that', () => {
    test('repeats itself changes nothing', () => {
      expectPlay(
        ['web'],
        {
          vm: '     u-0----------h-0----o-0-------------------',
          vmi: '    r----0--c-0---t-0--g----------------------',
          vmim: '   --------r--0-----g------------------------',
          first: '  r------0------t---g-----------------------',
          second: ' ---------p-r0----g------------------------',
          server: ' ---------------------------r--0------g----',
          client: ' ----------------------------r--0d-0-g-----',
        },
        {
          records: '----l---------------ge--o--------w----k-d',
          writes: ' ----b--------a----------sc-------(xy)-b',
        },
      );
    });

    test('brings late what is long past changes nothing', () => {
      expectPlay(
        ['web'],
        {
          vm: '     u------------h-1----o-1-------------------',
          vmi: '    r-------c-1---t-1--g-1--------------------',
          vmim: '   --------r--------g-1----------------------',
          first: '  r-------------t-1-g--1--------------------',
          second: ' ---------p-r1----g----1-------------------',
          server: ' ---------------------------r-1-------g----',
          client: ' ----------------------------r-1-d-1-g--1--',
        },
        {
          records: '----l---------------ge--o--------w----k-d',
          writes: ' ----b--------a----------sc-------(xy)-b',
        },
      );
    });

    test('brings the VMI before the VM, or after it, makes the revert no later than the first of them', () => {
      expectPlay(
        ['web'],
        {
          vm: '     u---------------h---o---------------------',
          vmi: '    r-------c----t-----g----------------------',
          vmim: '   --------r--------g------------------------',
          first: '  r-------------t---g-----------------------',
          second: ' ---------p-r-----g------------------------',
          server: ' ---------------------------r---------g----',
          client: ' ----------------------------r---d---g-----',
        },
        {
          records: '----l---------------ge--o--------w----k-d',
          writes: ' ----b--------a----------sc-------(xy)-b',
        },
      );
    });

    test('misses the start of a machine costs the time until the next list', () => {
      expectPlay(
        ['web'],
        {
          vm: '     o-----------u-------',
          server: ' -------r------------',
          client: ' ---------r----------',
        },
        {
          records: '----o---------v',
          writes: ' ----sc-------(xy)',
        },
        { cuts: { virtualmachines: '-----------x' } },
      );
    });

    test('misses the end of the copy pods finds them gone with the next list', () => {
      expectPlay(
        ['web'],
        {
          vm: '     o-----------------------------',
          server: ' -------r--------g-------------',
          client: ' --------r-d----g--------------',
        },
        {
          records: '----o------w-----k-d',
          writes: ' ----sc-----(xy)--b',
        },
        { cuts: { pods: '--------------x' } },
      );
    });

    test('misses the end of a VMI in a live migration leaves it to a person which disk is good', () => {
      expectPlay(
        ['web'],
        {
          vm: '     u---------------o-------------',
          vmi: '    r-------c-----g---------------',
          vmim: '   --------r----g----------------',
          first: '  r-----------g-----------------',
          second: ' ---------r--g-----------------',
        },
        {
          records: '----l',
          writes: ' ----b',
        },
        { cuts: { virtualmachineinstances: '-------------x' } },
      );
    });
  });

  describe('a write that is under way when the machine changes', () => {
    test('is not cut off: a client appears, and then it is deleted', () => {
      expectPlay(
        ['web'],
        {
          vm: '     o---------u---------',
          server: ' -------r--------g---',
          client: ' -------------------g',
        },
        {
          records: '----o------v',
          writes: ' ----sc----y---x',
          answers: { c: '---------(a|)' },
          sent: { c: '     -----^--------!' },
        },
      );
    });

    test('is not cut off: a patch that begins a live migration comes too late and changes nothing', () => {
      expectPlay(
        ['web'],
        {
          vm: '     u-------h-----o-----',
          vmi: '    r------------g------',
          first: '  r-----------g-------',
        },
        {
          records: '----l---------ge--o',
          writes: ' ----b-------------sc',
          answers: { b: '--------(a|)' },
          sent: { b: '----^-------!' },
        },
      );
    });

    test('keeps no other waiting: a deletion that hangs does not keep the server alive', () => {
      expectPlay(
        ['web'],
        {
          vm: '     o---------u---------',
          server: ' -------r------g-----',
          client: ' --------r-------g---',
        },
        {
          records: '----o------v',
          writes: ' ----sc----(xy)',
          answers: { x: '-----(a|)' },
          sent: { x: ' ----------^----!', y: ' ----------^!' },
        },
      );
    });
  });

  describe('a write that is not answered', () => {
    test('may still land, so nothing is begun before it cannot any more', () => {
      expectPlay(
        ['web'],
        {
          vm: '     o-------------------------',
        },
        {
          records: '----o',
          writes: ' ----s--------------------s',
          answers: { s: '-#' },
          sent: { s: [' ----^!', ' -------------------------^!'] },
        },
      );
    });

    test('is sent again when it is to end something, until that is gone', () => {
      expectPlay(
        ['web'],
        {
          vm: '     o---------u-----------',
          server: ' -------r-------g------',
          client: ' --------r-----------g-',
        },
        {
          records: '----o------v',
          writes: ' ----sc----(xy)-x---x',
          answers: { x: '----#' },
          sent: { x: [' ----------^---!', ' ---------------^---!', ' -------------------^---!'] },
        },
      );
    });
  });

  describe('a restless machine', () => {
    test('is left alone until it has been quiet', () => {
      expectPlay(
        ['web'],
        {
          vm: '     o-u-o-u-o-------',
        },
        {
          records: '------------o',
          writes: ' ------------sc',
        },
      );
    });

    test('that is started and stopped again loses its copy pods, and is copied anew when they are gone', () => {
      expectPlay(
        ['web'],
        {
          vm: '     o-----------u-o-----------',
          server: ' -------r------------g-----',
          client: ' --------r---------g-------',
        },
        {
          records: '----o--------v-----o',
          writes: ' ----sc------(xy)----sc',
        },
      );
    });
  });

  describe('a StorageMigration', () => {
    test('that is paused begins nothing before it goes on', () => {
      expectPlay(
        ['web'],
        {
          vm: '     o---------------',
          smig: '   --p-------u-----',
        },
        {
          records: '-----------o',
          writes: ' -----------sc',
        },
      );
    });

    test('that is paused in the middle of a copy lets it complete, and cuts over when it goes on', () => {
      expectPlay(
        ['web'],
        {
          vm: '     o-----------------------------',
          server: ' -------r--------g-------------',
          client: ' --------r---d--g--------------',
          smig: '   ---------p--------------u-----',
        },
        {
          records: '----o--------w-----------k-d',
          writes: ' ----sc-------(xy)--------b',
        },
      );
    });

    test('that is deleted takes its copy pods along, and is let go when they are gone', () => {
      expectPlay(
        ['web'],
        {
          vm: '     o---------------------',
          server: ' -------r--------g-----',
          client: ' --------r-----g-------',
          smig: '   ----------x-----------',
        },
        {
          records: '----o',
          writes: ' ----sc----(xy)--f',
        },
      );
    });

    test('that is deleted is reverted at once, and let go when KubeVirt has let go of B', () => {
      expectPlay(
        ['web'],
        {
          vm: '     u-------------------------',
          vmi: '    r-------c------r----------',
          vmim: '   --------r--------g--------',
          first: '  r-------------------------',
          second: ' ----------r-----g---------',
          smig: '   ------------x-------------',
        },
        {
          records: '----l-------------e',
          writes: ' ----b-------a-----f',
        },
      );
    });
  });

  describe('a daemon that is told to stop', () => {
    test('begins nothing more, lets what is under way end, and completes', () => {
      expectPlay(
        ['web'],
        {
          vm: '     o------u------------',
        },
        {
          records: '----o------|',
          writes: ' ----sc',
          answers: { c: '------(a|)' },
          sent: { c: ' -----^-----!' },
        },
        { stop: '------x' },
      );
    });

    test('writes nothing more, not even a record that a machine waits for', () => {
      expectPlay(
        ['web'],
        {
          vm: '     o-------------------',
        },
        {
          records: '------|',
          writes: ' ',
          answers: { j: '------(a|)' },
          sent: { j: ' ^-----!' },
        },
        { stop: '-----x' },
      );
    });
  });
});
