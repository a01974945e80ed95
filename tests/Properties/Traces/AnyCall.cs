using ShmCheck.Abi;
using ShmCheck.Harness.Generating;

namespace ShmCheck.Properties.Traces;

/// <summary>Draws calls of every kind with arguments of every form that a trace can have, also
/// such as no sequence would make.</summary>
internal sealed class AnyCall(Random64 random)
{
    private static readonly CallKind[] Kinds = Enum.GetValues<CallKind>();

    public static bool Binds(Call call) => call is ShmGet or ShmAt or MMap or MRemap or SpawnCall;

    public static Call WithoutResult(Call call) => call switch
    {
        ShmGet c => c with { Result = default },
        ShmAt c => c with { Result = default },
        MMap c => c with { Result = default },
        MRemap c => c with { Result = default },
        SpawnCall c => c with { Result = default },
        _ => call,
    };

    public static AddressRef Address(Random64 random) => random.Below(5) switch
    {
        0 => AddressRef.Null,
        1 => AddressRef.Literal(random.Next() >> random.Below(64)),
        2 => AddressRef.Window((ulong)random.Below(1000), Offset(random)),
        _ => AddressRef.Of(new MappingHandle(Number(random)), Offset(random)),
    };

    public Call Draw()
    {
        Call call = Draw(random.Of<CallKind>(Kinds));
        return random.OneIn(4)
            ? call with
            {
                Injection = new Injection(
                    random.Of<AllocationKind>(Enum.GetValues<AllocationKind>()),
                    1 + random.Below(int.MaxValue)),
            }
            : call;
    }

    private Call Draw(CallKind kind) => kind switch
    {
        CallKind.ShmGet => new ShmGet(
            Process(), new ShmKey(Word()), Size(), new ShmGetFlags(Word()), new(Number(random))),
        CallKind.ShmAt => new ShmAt(
            Process(), Segment(), Address(random), new ShmAtFlags(Word()), new(Number(random))),
        CallKind.ShmDt => new ShmDt(Process(), Address(random)),
        CallKind.Kill => new Kill(Process()),
        CallKind.SetSysctl => Knob(),
        CallKind.Reclaim => Reclaim(),
        _ => Control(kind) ?? Memory(kind) ?? OfProcess(kind),
    };

    private SegmentCall? Control(CallKind kind) => kind switch
    {
        CallKind.ShmCtlStat => new ShmCtlStat(Process(), Segment(), Coin()),
        CallKind.ShmCtlSet => Coin() ? new ShmCtlSet(Process(), Segment(), 0, 0, 0, true)
            : new ShmCtlSet(Process(), Segment(), Word(), Word(), random.Below(0x10000)),
        CallKind.ShmCtlRmid => new ShmCtlRmid(Process(), Segment()),
        CallKind.ShmCtlLock => new ShmCtlLock(Process(), Segment()),
        CallKind.ShmCtlUnlock => new ShmCtlUnlock(Process(), Segment()),
        CallKind.ShmCtlIpcInfo => new ShmCtlIpcInfo(Process(), Segment(), Coin()),
        CallKind.ShmCtlShmInfo => new ShmCtlShmInfo(Process(), Segment(), Coin()),
        CallKind.ShmCtlStatIndex => new ShmCtlStatIndex(Process(), Segment(), Coin(), Coin()),
        CallKind.ShmCtlOther => new ShmCtlOther(Process(), Segment(), Word()),
        _ => null,
    };

    private ProcessCall? Memory(CallKind kind) => kind switch
    {
        CallKind.MMap => new MMap(
            Process(), Address(random), Size(), Flags<Protection>(), Flags<MapFlags>(),
            new(Number(random))),
        CallKind.MUnmap => new MUnmap(Process(), Address(random), Size()),
        CallKind.MProtect => new MProtect(Process(), Address(random), Size(), Flags<Protection>()),
        CallKind.MRemap => new MRemap(
            Process(), Address(random), Size(), Size(), Flags<MRemapFlags>(), Address(random),
            new(Number(random))),
        CallKind.MLock => new MLock(Process(), Address(random), Size(), Coin()),
        CallKind.MUnlock => new MUnlock(Process(), Address(random), Size()),
        CallKind.MLockAll => new MLockAll(Process(), Flags<MLockAllFlags>()),
        CallKind.MUnlockAll => new MUnlockAll(Process()),
        CallKind.MAdvise => new MAdvise(Process(), Address(random), Size(),
            random.OneIn(4) ? (Advice)random.Below(200)
                : random.Of<Advice>(Enum.GetValues<Advice>())),
        CallKind.MBind => new MBind(Process(), Address(random), Size(), Word()),
        CallKind.Load => new Load(Process(), Address(random), Page()),
        CallKind.Store => new Store(Process(), Address(random), Page(), (byte)random.Below(256)),
        _ => null,
    };

    private ProcessCall OfProcess(CallKind kind) => kind switch
    {
        CallKind.Fork => new Fork(Process(), new(Number(random))),
        CallKind.VFork => new VFork(Process(), new(Number(random))),
        CallKind.Clone => new Clone(Process(), Flags<CloneFlags>(), new(Number(random))),
        CallKind.Exec => new Exec(Process()),
        CallKind.Exit => new Exit(Process()),
        CallKind.ExitGroup => new ExitGroup(Process()),
        CallKind.Unshare => new Unshare(Process()),
        CallKind.SetNs => new SetNs(Process(), Process()),
        CallKind.SwapOn => new SwapOn(Process()),
        CallKind.SwapOff => new SwapOff(Process()),
        CallKind.SetUid => new SetUid(Process(), Word()),
        CallKind.SetGid => new SetGid(Process(), Word()),
        CallKind.SetResUid => new SetResUid(Process(), Word(), Word(), Word()),
        CallKind.SetResGid => new SetResGid(Process(), Word(), Word(), Word()),
        CallKind.SetGroups => new SetGroups(
            Process(), [.. Enumerable.Range(0, random.Below(4)).Select(_ => Word())]),
        CallKind.CapSet => new CapSet(Process(), Capabilities(), Capabilities()),
        CallKind.KeepCaps => new KeepCaps(Process(), Coin()),
        CallKind.SetRLimit => new SetRLimit(
            Process(), Coin() ? Resource.RLIMIT_MEMLOCK : Resource.RLIMIT_AS, Size()),
        _ => throw new InvalidOperationException($"nothing draws {kind}"),
    };

    private SetSysctl Knob()
    {
        Sysctl name = random.Of<Sysctl>(Enum.GetValues<Sysctl>());
        ulong value = name is Sysctl.ShmMax or Sysctl.ShmAll ? Size() : (ulong)(long)Word();
        return new SetSysctl(name, value, Coin() ? default : Process());
    }

    private Reclaim Reclaim()
    {
        ulong first = (ulong)random.Below(1000);
        return new Reclaim(new(Number(random)), new(first, first + (ulong)random.Below(1000)));
    }

    private static int Number(Random64 random) => 1 + random.Below(random.OneIn(4) ? 1_000_000 : 9);

    private static long Offset(Random64 random) => random.Below(4) switch
    {
        0 => 0,
        1 => random.Below(10_000),
        2 => -random.Below(10_000),
        _ => (long)random.Next() >> 1,
    };

    private ProcessHandle Process() => new(Number(random));

    private SegmentRef Segment() => random.Below(5) switch
    {
        0 => SegmentRef.Literal(Word()),
        1 => SegmentRef.Stale(new(Number(random))),
        2 => SegmentRef.Index(new(Number(random))),
        _ => new SegmentHandle(Number(random)),
    };

    private TouchedPage Page() => new(random.Next() >> random.Below(64), Coin());

    private ulong Size() => random.OneIn(8) ? ulong.MaxValue : random.Next() >> random.Below(64);

    /// <summary>32 bits, small numbers of either sign as often as large ones.</summary>
    private int Word() => (int)random.Next() >> random.Below(32);

    private bool Coin() => random.OneIn(2);

    /// <summary>Flags that have names, and bits that have none.</summary>
    private T Flags<T>()
        where T : struct, Enum =>
        (T)Enum.ToObject(typeof(T), random.OneIn(4) ? (int)random.Next()
            : Enum.GetValues<T>().Where(_ => Coin()).Sum(flag => Convert.ToInt32(flag)));

    private CapabilitySet Capabilities() => random.Below(4) switch
    {
        0 => CapabilitySet.None,
        1 => CapabilitySet.All,
        _ => (CapabilitySet)random.Next() & CapabilitySet.All,
    };
}
