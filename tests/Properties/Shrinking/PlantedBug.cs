using System.Collections.Immutable;
using ShmCheck.Abi;
using ShmCheck.Harness.Checking;
using ShmCheck.Harness.Generating;
using ShmCheck.PlantedFaults;

namespace ShmCheck.Properties.Shrinking;

/// <summary>A fault whose shortest counterexample is known. It concerns only segments with a key
/// that no random sequence uses, so that it shows exactly where it was planted.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Fault">The fault.</param>
/// <param name="Calls">The shortest counterexample, with handles that no random sequence
/// reaches.</param>
public sealed record PlantedBug(
    string Name, Func<PlantedFault> Fault, ImmutableArray<Call> Calls)
{
    /// <summary>The key of the segments concerned.</summary>
    private const int Key = 0x5eed;

    private const ulong Page = 4096;

    /// <summary>Random calls between two planted ones; with more, they would trigger the bug
    /// before its time.</summary>
    private const int LongestGap = 30;

    private static readonly SegmentHandle S = new(9000);
    private static readonly MappingHandle A = new(9000);

    /// <summary>All of them, by name.</summary>
    public static ImmutableDictionary<string, PlantedBug> All { get; } = new PlantedBug[]
    {
        new("nothing is too much", () => new NothingIsTooMuch(Key), [Get(0)]),
        new("removal keeps the reservation", () => new RemovalKeepsReservation(Key),
            [Get(Page, ShmGetFlags.SHM_HUGETLB), new ShmCtlRmid(P1, S)]),
        new("fork forgets attaches", () => new ForkForgetsAttaches(Key),
            [Get(Page), Attach(A), new Fork(P1, new(9000))]),
        new("stat sees no attach", () => new StatSeesNoAttach(Key),
            [Get(Page), Attach(A), new ShmCtlStat(P1, S)]),
        new("removed cannot be detached", () => new RemovedCannotBeDetached(Key),
            [Get(Page), Attach(A), new ShmCtlRmid(P1, S), new ShmDt(P1, A)]),
        new("third attach throws", () => new ThirdAttachThrows(Key),
            [Get(Page), Attach(A), Attach(new(9001)), Attach(new(9002))]),
        new("reading back keeps the slot", () => new ReadingBackKeepsTheSlot(Key),
            [
                Get(Page), Attach(A), new Store(P1, A, new(0), 1),
                new Reclaim(S, new(0, 0)), new Load(P1, A, new(0)),
            ]),
    }.ToImmutableDictionary(bug => bug.Name);

    private static ProcessHandle P1 => ProcessHandle.First;

    /// <summary>The system with this bug.</summary>
    public ISystemFactory System => new FaultyFactory(Fault);

    /// <summary>A random sequence with the counterexample strewn over it, its last call at the
    /// end.</summary>
    /// <param name="seed">Everything depends on it.</param>
    /// <param name="length">Calls in all.</param>
    /// <returns>The run; null if the random calls do not let the bug show there.</returns>
    public RunRecord? StrewOver(ulong seed, int length)
    {
        var random = new Random64(seed);
        MachineConfig drawn = RandomRun.Machine(seed);
        MachineConfig machine = drawn with
        {
            HugePages = Math.Max(drawn.HugePages, 2),
            SwapSlots = Math.Max(drawn.SwapSlots, 8),
            SwapKind = SwapKind.Synchronous,
            Frames = Math.Max(drawn.Frames, 64),
            ShmAll = MachineConfig.DefaultShmLimit,
            ShmMax = MachineConfig.DefaultShmLimit,
            ShmMni = 4096,
        };
        List<Call> calls = Noise(machine, seed, length - Calls.Length);
        if (calls.Count + Calls.Length < length)
        {
            return null;
        }

        int at = calls.Count;
        foreach (Call call in Calls.Reverse())
        {
            calls.Insert(at, call);
            at -= random.Below(LongestGap);
        }

        var record = new RunRecord();
        new SequenceRunner(System).Run(machine, new CallList(calls), record);
        return record.Calls.Count == length && Fingerprint.Equals(record.Divergence?.Fingerprint)
            ? record : null;
    }

    /// <summary>The fingerprint of the counterexample by itself: random calls in between can make
    /// a bug show in another way.</summary>
    private Fingerprint Fingerprint => field ??= FindFingerprint();

    private Fingerprint FindFingerprint()
    {
        var record = new RunRecord();
        new SequenceRunner(System).Run(
            new MachineConfig { HugePages = 2, SwapSlots = 8 }, new CallList(Calls), record);
        return record.Divergence!.Fingerprint;
    }

    /// <summary>Random calls that leave the first process as it is.</summary>
    private static List<Call> Noise(MachineConfig machine, ulong seed, int length)
    {
        RunRecord run = RandomRun.Of(new Undisturbed(), machine, seed, 2 * length);
        return
        [
            .. run.Calls.Zip(run.Replies).Where(made => made.Second is not null)
                .Select(made => made.First).Take(length),
        ];
    }

    private static ShmGet Get(ulong size, int flags = 0) => new(
        P1, new ShmKey(Key), size, new ShmGetFlags(ShmGetFlags.IPC_CREAT | flags | 0x180), S);

    private static ShmAt Attach(MappingHandle result) =>
        new(P1, S, AddressRef.Null, new ShmAtFlags(0), result);

    /// <summary>The specification, which is not asked to kill the first process, to take its
    /// rights and memory away, or to limit segments.</summary>
    private sealed class Undisturbed : ISystemFactory
    {
        public string Name => "undisturbed";

        public SystemCapabilities Capabilities { get; } = new FaultyFactory().Capabilities with
        {
            Calls = new FaultyFactory().Capabilities.Calls.Except([CallKind.SetSysctl]),
            CanBeAsked = call => call switch
            {
                Clone or VFork or MMap or MRemap or MUnmap => false,
                Kill kill => kill.Victim != P1,
                Fork or SegmentCall or ShmGet or ShmDt or RangeCall or Load or Store => true,
                ProcessCall made => made.Caller != P1,
                _ => true,
            },
        };

        public ISystemUnderTest Start(MachineConfig config) => SpecSystem.Factory.Start(config);
    }
}
