// The mission (design §2) as diagrams: what people, KubeVirt and the kubelets do, line by line, and below it what the
// whole daemon writes. The letters are told in letters.ts; column is frame; a mode settles after 3 frames. An ending
// stands in the column of its cause. What is under way when the machine changes is sent to its end, see `sent`.
import { describe, test } from 'vitest';
import { expectPlay } from './play.ts';

describe('the nine rows', () => {
  test('row 1: one VM off, started: client and server go at once, and when both are gone it is moved live', () => {
    expectPlay(
      ['web'],
      {
        vm: '     o-----------u----------------------------',
        vmi: '    --------------p-----r------c------s--e---',
        vmim: '   ----------------------------r--------d---',
        first: '  ---------------p---r---------------------',
        second: ' -----------------------------p-r---------',
        server: ' -------r----------g----------------------',
        client: ' ---------r------g------------------------',
      },
      {
        records: '----o--------v----------l----------s--d',
        writes: ' ----sc------(xy)--------b',
        answers: { x: '---(a|)' },
        sent: { x: ' ------------^--!' },
      },
    );
  });

  test('row 1: so it is when the copy pods are still Pending, and the live migration waits for the last of them', () => {
    expectPlay(
      ['web'],
      {
        vm: '     o------u---------------------------------',
        vmi: '    --------p---r--------------c------s--e---',
        vmim: '   ----------------------------r--------d---',
        first: '  ---------p-r-----------------------------',
        second: ' -----------------------------p-r---------',
        server: ' ------------------------g----------------',
        client: ' ----------g------------------------------',
      },
      {
        records: '----o---v----------------l---------s--d',
        writes: ' ----sc-(xy)--------------b',
      },
    );
  });

  test('row 2: one VM on, stopped while the second launcher runs: reverted at once, copied when both launchers are gone', () => {
    expectPlay(
      ['web'],
      {
        vm: '     u------------h------o---------------------',
        vmi: '    r-------c-----t----g----------------------',
        vmim: '   --------r--------g------------------------',
        first: '  r-------------t---g-----------------------',
        second: ' ---------p-r-----g------------------------',
        server: ' ---------------------------r---------g----',
        client: ' ----------------------------r---d---g-----',
      },
      {
        records: '----l---------------ge--o--------w----k-d',
        writes: ' ----b--------a----------sc-------(xy)-b',
        answers: { a: '----(a|)' },
        sent: { a: ' -------------^---!' },
      },
    );
  });

  test('row 2: the same when a machine with runStrategy Manual is asked to stop', () => {
    expectPlay(
      ['web'],
      {
        vm: '     m------------q------n---------------------',
        vmi: '    r-------c-----t----g----------------------',
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

  test('row 2: the same when the guest shuts down and the VMI of a Manual machine stays', () => {
    expectPlay(
      ['web'],
      {
        vm: '     m-------------------------------------',
        vmi: '    r-------c----f--x---------------------',
        vmim: '   --------r--------g--------------------',
        first: '  r-------------d-----------------------',
        second: ' ---------p-r----g---------------------',
        server: ' ----------------------r---------g-----',
        client: ' -----------------------r---d---g------',
      },
      {
        records: '----l-------------eo--------w----k-d',
        writes: ' ----b--------a-----sc-------(xy)-b',
      },
    );
  });

  test('row 2: a guest that shuts down under Always is reverted before KubeVirt boots it again, and moved live anew', () => {
    expectPlay(
      ['web'],
      {
        vm: '     u-----------------------------------------',
        vmi: '    r-------c----f----g-p---r-----c----s--e---',
        vmim: '   --------r-------g--------------r------d---',
        first: '  r-------------d--g---pr-------------------',
        second: ' ---------p-r---g----------------pr--------',
      },
      {
        records: '----l------------g----e-----l-------s--d',
        writes: ' ----b--------a--------------b',
      },
    );
  });

  test('row 3: one VM on, stopped while the second launcher does not run yet: the same', () => {
    expectPlay(
      ['web'],
      {
        vm: '     u----------h--------o---------------------',
        vmi: '    r-------c-----t----g----------------------',
        vmim: '   --------r--------g------------------------',
        first: '  r-------------t---g-----------------------',
        second: ' ---------p-------g------------------------',
        server: ' ---------------------------r---------g----',
        client: ' ----------------------------r---d---g-----',
      },
      {
        records: '----l---------------ge--o--------w----k-d',
        writes: ' ----b------a------------sc-------(xy)-b',
        answers: { a: '----(a|)' },
        sent: { a: ' -----------^---!' },
      },
    );
  });

  test('row 4: two VMs off, one started: its client goes at once, the other completes, then the server goes, then it is moved', () => {
    expectPlay(
      ['web', 'db'],
      {
        vm: '     (oO)----------u-----------------------------',
        vmi: '    ----------------p---r---------c-----s--e----',
        vmim: '   -------------------------------r-------d----',
        first: '  -----------------p-r------------------------',
        second: ' --------------------------------pr----------',
        server: ' --------r-----------------g-----------------',
        client: ' ---------rR-------g--D---G------------------',
      },
      {
        records: '----oO---------v------W----lK-D------s--d',
        writes: ' -----z(cC)----x-------(Xy)-bB',
        answers: { x: '---(a|)' },
        sent: { x: ' --------------^--!' },
      },
    );
  });

  test('row 5: two VMs off, both started: every copy pod goes, and when the last is gone both are moved live', () => {
    expectPlay(
      ['web', 'db'],
      {
        vm: '     (oO)----------u-U-------------------------------',
        vmi: '    ----------------p-P-r-R--------cC---sS--eE------',
        vmim: '   --------------------------------rR------dD------',
        first: '  -----------------p-PrR--------------------------',
        second: ' ---------------------------------pPrR-----------',
        server: ' --------r------------------g--------------------',
        client: ' ---------rR-------g-G---------------------------',
      },
      {
        records: '----oO---------v-V----------lL-------sS--dD',
        writes: ' -----z(cC)----x-(Xy)--------bB',
        answers: { x: '---(a|)' },
        sent: { x: ' --------------^--!' },
      },
    );
  });

  test('row 6: two VMs on, one stopped: the other is moved undisturbed, the stopped one reverted and copied', () => {
    expectPlay(
      ['web', 'db'],
      {
        vm: '     (uU)----------h------o------------------------',
        vmi: '    (rR)----cC-----t-S-Eg-------------------------',
        vmim: '   ---------rR-------gD--------------------------',
        first: '  (rR)------------t--g--------------------------',
        second: ' ----------pPrR----g---------------------------',
        server: ' ----------------------------r---------g-------',
        client: ' -----------------------------r---d---g--------',
      },
      {
        records: '----lL------------S-Dge--o--------w----k-d',
        writes: ' ----bB--------a----------sc-------(xy)-b',
        answers: { a: '----(a|)' },
        sent: { a: ' --------------^---!' },
      },
    );
  });

  test('row 7: two VMs on, both stopped: both reverted, and one server serves two clients', () => {
    expectPlay(
      ['web', 'db'],
      {
        vm: '     (uU)----------h-H-----o-O---------------------------',
        vmi: '    (rR)----cC-----t-T---g-G----------------------------',
        vmim: '   ---------rR-------gG--------------------------------',
        first: '  (rR)------------tT-g--G-----------------------------',
        second: ' ----------pPrR----g-G-------------------------------',
        server: ' -------------------------------r--------------g-----',
        client: ' --------------------------------rR-d--D---gG--------',
      },
      {
        records: '----lL----------------geGEo-O-------w--W-------kKdD',
        writes: ' ----bB--------a-A-----------z(cC)---x--(Xy)----bB',
        answers: { a: '----(a|)' },
        sent: { a: ' --------------^---!' },
      },
    );
  });

  test('row 7: a VM that stops when the server exists is served by a second one, after the first has completed', () => {
    expectPlay(
      ['web', 'db'],
      {
        vm: '     (uU)----------h------o--------H-------O-----------------------',
        vmi: '    (rR)----cC-----t----g----------T-----G------------------------',
        vmim: '   ---------rR-------g---------------G---------------------------',
        first: '  (rR)------------t--g------------T--G--------------------------',
        second: ' ----------pPrR----g---------------G---------------------------',
        server: ' ---------------------------r----------g------r---------g------',
        client: ' -----------------------------r---d---g--------R---D---G-------',
      },
      {
        records: '----lL---------------ge--o--------w---GEk-Od-------W----K-D',
        writes: ' ----bB--------a----------sc---A---(xy)--b-SC-------(Xy)-B',
      },
    );
  });

  test('row 8: one on, one off, the one that is off started: its copy pods go, and both are moved live', () => {
    expectPlay(
      ['web', 'db'],
      {
        vm: '     (uO)----------U---------------------------------',
        vmi: '    r-------c-------Ps--e--R-------C----S--E--------',
        vmim: '   ---------r----------d-----------R------D--------',
        first: '  r----------------P--R---------------------------',
        second: ' ----------p-r--------------------PR-------------',
        server: ' --------r---------------g-----------------------',
        client: ' ---------R---------G----------------------------',
      },
      {
        records: '----lO---------V--s--d-----L---------S--D',
        writes: ' ----bSC-------(Xy)---------B',
        answers: { y: '------(a|)' },
        sent: { y: ' --------------^-----!' },
      },
    );
  });

  test('row 9: one on, one off, the one that is on stopped: the running copy completes, then a new server serves it', () => {
    expectPlay(
      ['web', 'db'],
      {
        vm: '     (uO)----------h-------o---------------------------------------',
        vmi: '    r-------c------t-----g----------------------------------------',
        vmim: '   ---------r--------g-------------------------------------------',
        first: '  r---------------t--g------------------------------------------',
        second: ' ----------p-r-----g-------------------------------------------',
        server: ' --------r---------------------------g---r---------g-----------',
        client: ' ---------R--------------------D---G------r---d---g------------',
      },
      {
        records: '----lO----------------ge--o----W-----K-D------w----k-d',
        writes: ' ----bSC-------a----------------(Xy)-s(cB)-----(xy)-b',
        answers: { a: '----(a|)' },
        sent: { a: ' --------------^---!' },
      },
    );
  });
});
