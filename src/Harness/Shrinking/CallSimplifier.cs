using System.Numerics;
using ShmCheck.Abi;

namespace ShmCheck.Harness.Shrinking;

/// <summary>Simpler versions of a call: one argument at a time nearer to what a reader would
/// write first. Every version is strictly simpler than the call, so that simplifying ends.
/// </summary>
internal static class CallSimplifier
{
    /// <summary>Numbers up to here are also lowered by one; higher ones by halves, and to powers
    /// of two.</summary>
    internal const ulong MostByOne = 256;

    private const int PlainMode = 0x180;

    /// <summary>The simpler versions, simplest first.</summary>
    public static IEnumerable<Call> Simplify(Call call, MachineConfig machine)
    {
        if (call.Injection is { } injection)
        {
            yield return call with { Injection = null };
            if (injection.Nth > 1)
            {
                yield return call with { Injection = injection with { Nth = 1 } };
            }
        }

        if (call is ProcessCall made && made.Caller != ProcessHandle.First)
        {
            yield return made with { Caller = ProcessHandle.First };
        }

        foreach (Call simpler in SimplifyArguments(call, machine))
        {
            yield return simpler;
        }
    }

    private static IEnumerable<Call> SimplifyArguments(Call call, MachineConfig machine) =>
        call switch
        {
            ShmGet c => SimplifyGet(c, machine),
            ShmAt c => SimplifyAttach(c),
            ShmDt c => Addresses(c.Address).Select(a => c with { Address = a }),
            ShmCtlSet c => SimplifySet(c),
            SegmentCall c => Segments(c.Segment).Select(s => c with { Segment = s }),
            Clone c => [new Fork(c.Caller, c.Result) { Injection = c.Injection }],
            VFork c => [new Fork(c.Caller, c.Result) { Injection = c.Injection }],
            Exit c => [new ExitGroup(c.Caller) { Injection = c.Injection }],
            MLock c => Touches(c, write: false).Concat(SimplifyRange(c, machine)),
            MAdvise { Advice: Advice.MADV_POPULATE_READ } c =>
                Touches(c, write: false).Concat(SimplifyRange(c, machine)),
            MAdvise { Advice: Advice.MADV_POPULATE_WRITE } c =>
                Touches(c, write: true).Concat(SimplifyRange(c, machine)),
            RangeCall c => SimplifyRange(c, machine),
            Load c => Addresses(c.Start).Select(a => c with { Start = a })
                .Concat(Pages(c.Page).Select(p => c with { Page = p })),
            Store c => Addresses(c.Start).Select(a => c with { Start = a })
                .Concat(Pages(c.Page).Select(p => c with { Page = p }))
                .Concat(c.Value == 1 ? [] : [c with { Value = 1 }]),
            Reclaim c => Ranges(c.Pages).Select(p => c with { Pages = p }),
            SetSysctl c => Numbers(c.Value, 0, 1, 2, 4).Select(v => c with { Value = v }),
            SetRLimit c => Numbers(
                    c.Limit, 0, machine.PageSize, 2 * machine.PageSize,
                    c.Limit - (c.Limit % machine.PageSize))
                .Select(v => c with { Limit = v }),
            SetResUid c => Triples(c.Real, c.Effective, c.Saved)
                .Select(t => c with { Real = t.A, Effective = t.B, Saved = t.C }),
            SetResGid c => Triples(c.Real, c.Effective, c.Saved)
                .Select(t => c with { Real = t.A, Effective = t.B, Saved = t.C }),
            SetGroups { Groups.IsEmpty: false } c => [c with { Groups = [] }],
            _ => [],
        };

    private static IEnumerable<Call> SimplifyGet(ShmGet call, MachineConfig machine)
    {
        if (!call.Key.IsPrivate)
        {
            yield return call with { Key = ShmKey.Private };
        }

        ulong unit = call.Flags.HugeTlb ? machine.HugePageSize : machine.PageSize;
        foreach (ulong size in Sizes(call.Size, unit))
        {
            yield return call with { Size = size };
        }

        if (call.Flags.HugeSizeLog2 != 0)
        {
            yield return call with { Flags = call.Flags.WithHugeSize(0) };
        }

        foreach (int flags in WithoutOneBit(call.Flags.Raw & ~ShmGetFlags.ModeMask))
        {
            yield return call with { Flags = new ShmGetFlags(flags | call.Flags.Mode) };
        }

        if (call.Flags.Mode != PlainMode)
        {
            yield return call with
            {
                Flags = new ShmGetFlags((call.Flags.Raw & ~ShmGetFlags.ModeMask) | PlainMode),
            };
        }
    }

    private static IEnumerable<Call> SimplifyAttach(ShmAt call)
    {
        foreach (SegmentRef segment in Segments(call.Segment))
        {
            yield return call with { Segment = segment };
        }

        foreach (AddressRef address in Addresses(call.Address, orNull: true))
        {
            yield return call with { Address = address };
        }

        foreach (int flags in WithoutOneBit(call.Flags.Raw))
        {
            yield return call with { Flags = new ShmAtFlags(flags) };
        }
    }

    private static IEnumerable<Call> SimplifySet(ShmCtlSet call)
    {
        foreach (SegmentRef segment in Segments(call.Segment))
        {
            yield return call with { Segment = segment };
        }

        if (call.Uid != 0)
        {
            yield return call with { Uid = 0 };
        }

        if (call.Gid != 0)
        {
            yield return call with { Gid = 0 };
        }

        if (call.Mode != PlainMode)
        {
            yield return call with { Mode = PlainMode };
        }
    }

    /// <summary>The plainest call that makes a page present.</summary>
    private static IEnumerable<Call> Touches(RangeCall call, bool write) =>
        [write ? new Store(call.Caller, call.Start, new TouchedPage(0), 1)
            : new Load(call.Caller, call.Start, new TouchedPage(0))];

    private static IEnumerable<Call> SimplifyRange(RangeCall call, MachineConfig machine)
    {
        foreach (AddressRef start in Addresses(call.Start, orNull: call is MMap))
        {
            yield return call with { Start = start };
        }

        foreach (ulong length in Sizes(call.Length, machine.PageSize))
        {
            yield return call with { Length = length };
        }

        foreach (Call simpler in SimplifyRangeFlags(call, machine))
        {
            yield return simpler;
        }
    }

    private static IEnumerable<Call> SimplifyRangeFlags(RangeCall call, MachineConfig machine) =>
        call switch
        {
            MMap c => WithoutOneBit((int)c.Flags).Select(f => c with { Flags = (MapFlags)f })
                .Concat(Protections(c.Protection).Select(p => c with { Protection = p })),
            MProtect c => Protections(c.Protection).Select(p => c with { Protection = p }),
            MLock { OnFault: true } c => [c with { OnFault = false }],
            MBind c => Numbers((ulong)c.Policy, 0, 1).Select(v => c with { Policy = (int)v }),
            MRemap c => Sizes(c.NewLength, machine.PageSize)
                .Select(l => (Call)(c with { NewLength = l }))
                .Concat(WithoutOneBit((int)c.Flags)
                    .Select(f => c with { Flags = (MRemapFlags)f }))
                .Concat(Addresses(c.NewAddress, orNull: true)
                    .Select(a => c with { NewAddress = a })),
            _ => [],
        };

    private static IEnumerable<SegmentRef> Segments(SegmentRef reference) =>
        reference.Kind is SegmentRefKind.Stale or SegmentRefKind.Index
            ? [reference with { Kind = SegmentRefKind.Handle }] : [];

    private static IEnumerable<AddressRef> Addresses(AddressRef address, bool orNull = false)
    {
        if (orNull && address != AddressRef.Null)
        {
            yield return AddressRef.Null;
        }

        if (address.Offset != 0)
        {
            yield return address with { Offset = 0 };
        }

        if (address.Kind == AddressRefKind.Window && address.Base != 0)
        {
            yield return address with { Base = 0 };
            yield return address with { Base = address.Base / 2 };
        }
    }

    private static IEnumerable<TouchedPage> Pages(TouchedPage page) =>
        page.Index == 0 ? page.Huge ? [new TouchedPage(0)] : []
            : [page with { Index = 0 }, page with { Index = page.Index / 2 }];

    private static IEnumerable<PageRange> Ranges(PageRange pages)
    {
        if (pages != new PageRange(0, 0))
        {
            yield return new PageRange(0, 0);
        }

        if (pages.Last > pages.First)
        {
            yield return pages with { Last = pages.First };
            yield return pages with { First = pages.Last };
        }
    }

    private static IEnumerable<(int A, int B, int C)> Triples(int a, int b, int c)
    {
        if (a != -1)
        {
            yield return (-1, b, c);
        }

        if (b != -1)
        {
            yield return (a, -1, c);
        }

        if (c != -1)
        {
            yield return (a, b, -1);
        }
    }

    private static IEnumerable<Protection> Protections(Protection protection) =>
        new[]
        {
            Protection.PROT_READ | Protection.PROT_WRITE, Protection.PROT_READ,
            Protection.PROT_NONE,
        }.TakeWhile(p => p != protection);

    /// <summary>One unit; fewer units; whole units.</summary>
    private static IEnumerable<ulong> Sizes(ulong size, ulong unit)
    {
        if (size == unit)
        {
            yield break;
        }

        yield return unit;
        if (size % unit != 0 && size < ulong.MaxValue - unit)
        {
            yield return ((size / unit) + 1) * unit;
        }

        if (size > 2 * unit)
        {
            yield return 2 * unit;
            ulong units = size / unit;
            yield return Math.Max(units / 2, 1) * unit;
            yield return ((ulong.MaxValue / 2 + 1) >> BitOperations.LeadingZeroCount(units)) * unit;
            if (units <= MostByOne)
            {
                yield return (units - (size % unit == 0 ? 1ul : 0ul)) * unit;
            }
        }
    }

    /// <summary>Those of the given numbers that come before a number.</summary>
    private static IEnumerable<ulong> Numbers(ulong number, params ulong[] simple) =>
        simple.TakeWhile(s => s != number);

    private static IEnumerable<int> WithoutOneBit(int flags)
    {
        if (BitOperations.PopCount((uint)flags) > 1)
        {
            yield return 0;
        }

        for (uint rest = (uint)flags; rest != 0; rest &= rest - 1)
        {
            yield return flags & ~(int)(rest & (uint)-(int)rest);
        }
    }
}
