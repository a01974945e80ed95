using System.Collections.Immutable;
using ShmCheck.Abi;

namespace ShmCheck.Harness.Shrinking;

/// <summary>A machine and calls for it.</summary>
internal readonly record struct Candidate(MachineConfig Machine, ImmutableArray<Call> Calls);

/// <summary>Simpler versions of a whole sequence in which several numbers change at once, because
/// they mean the same thing: a size and the limit that it reaches, a page and the address that
/// lies behind it, the size of a huge page and that of a segment of them.</summary>
internal static class JointSimplifier
{
    private static readonly MachineConfig Default = new();

    /// <summary>The simpler versions.</summary>
    public static IEnumerable<Candidate> Simplify(MachineConfig machine, ImmutableArray<Call> calls)
        => Amounts(machine, calls)
            .Concat(HugeAmounts(machine, calls))
            .Append(Halved(machine, calls))
            .Concat(Places(machine, calls))
            .Concat(UsualHugePages(machine, calls))
            .Concat(Aliases(machine, calls))
            .Concat(Gathered(machine, calls));

    /// <summary>Fewer pages wherever a number of pages stands: in sizes, lengths and limits.
    /// </summary>
    private static IEnumerable<Candidate> Amounts(
        MachineConfig machine, ImmutableArray<Call> calls)
    {
        ulong unit = machine.PageSize;
        ulong[] amounts =
        [
            .. calls.SelectMany(SizesOf).Select(size => InPages(size, unit))
                .Where(pages => pages > 0).Distinct().OrderDescending(),
        ];
        foreach (ulong pages in amounts)
        {
            ulong less = pages <= CallSimplifier.MostByOne ? pages - 1 : pages / 2;
            foreach (ulong fewer in new ulong[] { 1, 2, pages / 2, less, pages }
                .Where(f => f > 0 && f <= pages).Distinct())
            {
                yield return Scaled(machine, calls, new Amount(pages, fewer, unit, Odd: false));
                yield return Scaled(machine, calls, new Amount(pages, fewer, unit, Odd: true));
            }
        }
    }

    /// <summary>Fewer huge pages, in the pool as in segments.</summary>
    private static IEnumerable<Candidate> HugeAmounts(
        MachineConfig machine, ImmutableArray<Call> calls)
    {
        ulong unit = machine.HugePageSize;
        ulong[] amounts =
        [
            .. calls.OfType<ShmGet>().Where(get => get.Flags.HugeTlb)
                .Select(get => InPages(get.Size, unit)).Where(pages => pages > 1)
                .Distinct().OrderDescending(),
        ];
        foreach (ulong pages in amounts)
        {
            ulong Fewer(ulong of, ulong fewer) => of == pages ? fewer : of;
            foreach (ulong fewer in new ulong[] { 1, pages / 2, pages - 1 }.Distinct())
            {
                yield return new Candidate(
                    machine with
                    {
                        HugePages = Fewer(machine.HugePages, fewer),
                        NrOvercommitHugePages = Fewer(machine.NrOvercommitHugePages, fewer),
                    },
                    [.. calls.Select(call => call switch
                    {
                        ShmGet { Flags.HugeTlb: true } c => c with
                        {
                            Size = Fewer(InPages(c.Size, unit), fewer) * unit,
                        },
                        SetSysctl c => c with { Value = Fewer(c.Value, fewer) },
                        _ => call,
                    })]);
            }
        }
    }

    /// <summary>Half of all sizes and limits.</summary>
    private static Candidate Halved(MachineConfig machine, ImmutableArray<Call> calls)
    {
        ulong unit = machine.PageSize;
        ulong Half(ulong bytes) => (InPages(bytes, unit) + 1) / 2 * unit;
        return new Candidate(machine, [.. calls.Select(call => call switch
        {
            ShmGet { Flags.HugeTlb: false } c => c with { Size = Half(c.Size) },
            SetRLimit { Limit: not SetRLimit.Unlimited } c => c with { Limit = Half(c.Limit) },
            MRemap => call,
            RangeCall c => c with { Length = Half(c.Length) },
            _ => call,
        })]);
    }

    private static Candidate Scaled(
        MachineConfig machine, ImmutableArray<Call> calls, Amount scale) => new(
        machine with
        {
            ShmAll = machine.ShmAll == scale.From ? scale.To : machine.ShmAll,
            ShmMax = scale.Limit(machine.ShmMax),
        },
        [.. calls.Select(scale.Apply)]);

    private static ulong InPages(ulong size, ulong unit) =>
        (size / unit) + (size % unit == 0 ? 0u : 1u);

    private static IEnumerable<ulong> SizesOf(Call call) => call switch
    {
        ShmGet { Flags.HugeTlb: false } c => [c.Size],
        MRemap c => [c.Length, c.NewLength],
        RangeCall c => [c.Length],
        _ => [],
    };

    /// <summary>What lies from a page on moves down by as many pages, and sizes beyond that page
    /// shrink by as many.</summary>
    private static IEnumerable<Candidate> Places(
        MachineConfig machine, ImmutableArray<Call> calls)
    {
        ulong unit = machine.PageSize;
        ulong[] places =
        [
            .. calls.SelectMany(c => PlacesOf(c, unit)).Where(p => p > 0).Distinct().Order(),
        ];
        foreach (ulong place in places)
        {
            foreach (bool sizes in new[] { true, false })
            {
                var shift = new Shift(place, sizes, unit);
                yield return new Candidate(machine, [.. calls.Select(shift.Apply)]);
            }
        }
    }

    private static IEnumerable<ulong> PlacesOf(Call call, ulong unit) => call switch
    {
        Load c => [c.Page.Index, Offset(c.Start, unit)],
        Store c => [c.Page.Index, Offset(c.Start, unit)],
        Reclaim c => [c.Pages.First],
        ShmDt c => [Offset(c.Address, unit)],
        RangeCall c => [Offset(c.Start, unit)],
        _ => [],
    };

    private static ulong Offset(AddressRef address, ulong unit) =>
        address is { Kind: AddressRefKind.Handle, Offset: > 0 } ? (ulong)address.Offset / unit : 0;

    /// <summary>Huge pages of the usual size, and segments of as many of them.</summary>
    private static IEnumerable<Candidate> UsualHugePages(
        MachineConfig machine, ImmutableArray<Call> calls)
    {
        ulong old = machine.HugePageSize;
        if (old != Default.HugePageSize)
        {
            ulong factor = Default.HugePageSize / old;
            ulong Scaled(ulong size) => InPages(size, old) * Default.HugePageSize;
            ImmutableArray<Call> segments =
            [
                .. calls.Select(call => call is ShmGet { Flags.HugeTlb: true } get
                    ? get with { Size = Scaled(get.Size) } : call),
            ];
            MachineConfig usual = machine with { HugePageSize = Default.HugePageSize };
            yield return new Candidate(usual, segments);
            yield return new Candidate(usual, [.. segments.Select(call => call switch
            {
                MRemap c => c with
                {
                    Length = Scaled(c.Length), NewLength = Scaled(c.NewLength),
                    Start = Times(c.Start, factor),
                },
                RangeCall c => c with
                {
                    Length = Scaled(c.Length), Start = Times(c.Start, factor),
                },
                _ => call,
            })]);
        }
    }

    /// <summary>One call that asks for the memory of two, where a limit is reached by several.
    /// </summary>
    private static IEnumerable<Candidate> Gathered(
        MachineConfig machine, ImmutableArray<Call> calls)
    {
        for (int second = calls.Length - 2; second > 0; second--)
        {
            for (int first = 0; first < second; first++)
            {
                if (Gather(calls[first], calls[second]) is { } one)
                {
                    yield return new Candidate(
                        machine, calls.SetItem(first, one).RemoveAt(second));
                }
            }
        }
    }

    private static Call? Gather(Call one, Call other) => (one, other) switch
    {
        (ShmGet a, ShmGet b) when a.Flags == b.Flags && b.Size <= ulong.MaxValue - a.Size =>
            a with { Size = a.Size + b.Size },
        (MMap a, MMap b) when (a.Flags, a.Protection) == (b.Flags, b.Protection)
            && b.Length <= ulong.MaxValue - a.Length => a with { Length = a.Length + b.Length },
        _ => null,
    };

    /// <summary>Without an mremap that gives an address another name: the first name is used.
    /// </summary>
    private static IEnumerable<Candidate> Aliases(
        MachineConfig machine, ImmutableArray<Call> calls)
    {
        for (int at = 0; at < calls.Length - 1; at++)
        {
            if (calls[at] is MRemap { Start.Kind: AddressRefKind.Handle } alias)
            {
                ImmutableArray<Call> renamed =
                    [.. calls.Select(call => Rename(call, alias, machine.PageSize))];
                yield return new Candidate(machine, renamed.RemoveAt(at));
                yield return new Candidate(machine, renamed);
            }
        }
    }

    private static Call Rename(Call call, MRemap alias, ulong unit)
    {
        AddressRef Named(AddressRef address) => address.Handle != alias.Result ? address
            : alias.Start with { Offset = alias.Start.Offset + address.Offset };
        TouchedPage Page(AddressRef start, TouchedPage page) => start.Handle != alias.Result
            ? page : page with { Index = page.Index + Offset(alias.Start, unit) };
        AddressRef Start(AddressRef start) => start.Handle != alias.Result ? start
            : alias.Start with { Offset = 0 };
        return call switch
        {
            Load c => c with { Start = Start(c.Start), Page = Page(c.Start, c.Page) },
            Store c => c with { Start = Start(c.Start), Page = Page(c.Start, c.Page) },
            ShmDt c => c with { Address = Named(c.Address) },
            RangeCall c => c with { Start = Named(c.Start) },
            _ => call,
        };
    }

    private static AddressRef Times(AddressRef address, ulong factor) =>
        address.Kind == AddressRefKind.Handle
            ? address with { Offset = address.Offset * (long)factor } : address;

    /// <summary>One number of pages in place of another. A size that is not one of whole pages
    /// stays so, with one byte in its last page, or becomes one.</summary>
    private readonly record struct Amount(ulong From, ulong To, ulong Unit, bool Odd)
    {
        public Call Apply(Call call) => call switch
        {
            ShmGet { Flags.HugeTlb: false } c => c with { Size = Size(c.Size) },
            MRemap c => c with { Length = Size(c.Length), NewLength = Size(c.NewLength) },
            RangeCall c => c with { Length = Size(c.Length) },
            SetSysctl { Name: Sysctl.ShmAll } c when c.Value == From => c with { Value = To },
            SetSysctl { Name: Sysctl.ShmMax } c => c with { Value = Limit(c.Value) },
            SetRLimit c => c with { Limit = Limit(c.Limit) },
            _ => call,
        };

        public ulong Limit(ulong bytes) => bytes == From * Unit ? To * Unit : bytes;

        private ulong Size(ulong bytes) => InPages(bytes, Unit) != From ? bytes
            : Odd && bytes % Unit != 0 ? ((To - 1) * Unit) + 1 : To * Unit;
    }

    /// <summary>All pages from one on, moved down to the start.</summary>
    private readonly record struct Shift(ulong By, bool Sizes, ulong Unit)
    {
        public Call Apply(Call call) => call switch
        {
            ShmGet { Flags.HugeTlb: false } c => c with { Size = Size(c.Size) },
            ShmDt c => c with { Address = Place(c.Address) },
            Load c => c with { Page = Page(c.Page), Start = Place(c.Start) },
            Store c => c with { Page = Page(c.Page), Start = Place(c.Start) },
            Reclaim c when c.Pages.First >= By => c with
            {
                Pages = new PageRange(c.Pages.First - By, c.Pages.Last - By),
            },
            MRemap c when Offset(c.Start, Unit) == 0 => c with
            {
                Length = Size(c.Length), NewLength = Size(c.NewLength),
            },
            RangeCall c => Offset(c.Start, Unit) > 0 ? c with { Start = Place(c.Start) }
                : c with { Length = Size(c.Length) },
            _ => call,
        };

        private ulong Size(ulong bytes) =>
            Sizes && InPages(bytes, Unit) > By ? bytes - (By * Unit) : bytes;

        private TouchedPage Page(TouchedPage page) =>
            page.Index >= By ? page with { Index = page.Index - By } : page;

        private AddressRef Place(AddressRef address) => Offset(address, Unit) >= By
            ? address with { Offset = address.Offset - (long)(By * Unit) } : address;
    }
}
