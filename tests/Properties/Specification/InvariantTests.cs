using ShmCheck.Spec;

namespace ShmCheck.Properties.Specification;

/// <summary>Every invariant is able to fail: a state amended by hand breaks it, and at most those
/// that count the same thing with it.</summary>
public class InvariantTests
{
    private sealed record Corruption(
        Func<SpecState, SpecState> Amend, params string[] Related);

    private static readonly Dictionary<string, Corruption> Corruptions = new()
    {
        ["page-partition"] = new(s => Page(s, 1, page => page with { Marked = true })),
        ["size-bound"] = new(s => Object(s, 0, x => x with { Resident = 9 }), "rss-def"),
        ["rss-def"] = new(s => Object(s, 1, x => x with { Resident = 2 })),
        ["swp-def"] = new(s => Object(s, 0, x => x with { Swapped = 1 })),
        ["charge-bound"] = new(s =>
            Object(s, 2, x => x with { Charged = 1 }) with { Committed = s.Committed - 1 }),
        ["length-form"] = new(s => Object(s, 0, x => x with { Length = x.Length - 1 })),
        ["content"] = new(s =>
            Object(s, 0, x => x with { Contents = x.Contents.Set(1, 5) })),
        ["huge-no-swap"] = new(s => Object(s, 1, x => x with { Swapped = 1 }), "swp-def"),
        ["tot-def"] = new(s => Namespace(s, ns => ns with { Total = ns.Total + 1 })),
        ["used-def"] = new(s => Namespace(s, ns => ns with { InUse = ns.InUse + 1 })),
        ["nattch-def"] = new(s => Segment(s, 0, x => x with { Attaches = x.Attaches + 1 })),
        ["dest-alive"] = new(s => Segment(s, 3, x => x with { Destroyed = true })),
        ["dest-keyless"] = new(s => Segment(s, 2, x => x with { Key = 9 })),
        ["key-unique"] = new(s => Segment(s, 3, x => x with { Key = 7 })),
        ["id-form"] = new(s => Segment(s, 3, x => x with { Id = new(x.Id.Value + 1) })),
        ["mode-form"] = new(s => Segment(s, 3, x => x with { Mode = 0x800 })),
        ["stamps"] = new(s => Segment(s, 3, x => x with { LastPid = 5 })),
        ["mapping-order"] = new(s => Space(s, x => x with
        {
            Mappings = Each(x.Mappings, mapping =>
                mapping.Segment is null ? mapping with { File = 5 } : mapping),
        })),
        ["pte-implies-resident"] = new(s =>
            Space(s, x => x with { Pages = x.Pages.Set(1, new PageTableEntry()) })),
        ["mapcount"] = new(s => Page(s, 0, page => page with { Mappers = page.Mappers + 1 })),
        ["rss-shmem"] = new(s => Space(s, x => x with { ShmemPages = x.ShmemPages + 1 })),
        ["hugepte"] = new(s => Space(s, x => x with { HugetlbPages = 0 })),
        ["vmsize"] = new(s => Space(s, x => x with { TotalPages = x.TotalPages + 1 })),
        ["vmlck"] = new(s => Space(s, x => x with { LockedPages = x.LockedPages + 1 })),
        ["frames"] = new(s => s with { FramesUsed = s.FramesUsed + 1 }, "shmem-total"),
        ["shmem-total"] = new(s => s with { SwapCached = 0 }, "swapcache-slot"),
        ["slots"] = new(s => s with { SlotsUsed = s.SlotsUsed + 1 }),
        ["swapcache-slot"] = new(
            s => s with { SwapCached = s.SwapCached + 1 }, "shmem-total"),
        ["commit"] = new(s => s with { Committed = s.Committed + 1 }),
        ["pool-sum"] = new(s => s with { Pool = s.Pool with { Free = s.Pool.Free + 1 } }),
        ["rsvd-le-free"] = new(
            s => s with { Pool = s.Pool with { Reserved = s.Pool.Free + 1 } }, "rsvd-def"),
        ["surp"] = new(s => s with { Pool = s.Pool with { Surplus = s.Pool.Total + 1 } }),
        ["rsvd-def"] = new(s => s with { Pool = s.Pool with { Reserved = 0 } }),
        ["lock-charge"] = new(s => s with { LockedByUser = s.LockedByUser.Set(0, 1) }),
        ["tasks"] = new(s => s with
        {
            Tasks = Each(s.Tasks, task => task with { WaitsFor = 77 }),
        }),
        ["conservation"] = new(s => s with { Tasks = Table.Empty<KernelTask>() }, "tasks"),
    };

    private static readonly SpecState Rich = new Scene(Everything.Machine).Play(Everything.Calls)
        .State;

    public static TheoryData<string> Invariants =>
        [.. RuleCatalogue.Invariants.Select(invariant => invariant.Id)];

    [Fact]
    public void All_hold_in_the_state_that_is_amended() =>
        Assert.Empty(Spec.Specification.FindViolations(Rich));

    [Theory]
    [MemberData(nameof(Invariants))]
    public void An_invariant_is_reported_when_it_is_broken(string id)
    {
        Corruption corruption = Corruptions[id];
        IReadOnlyList<Violation> found =
            Spec.Specification.FindViolations(corruption.Amend(Rich));
        Assert.Contains(found, violation => violation.Invariant.Id == id);
        Assert.Empty(found.Select(violation => violation.Invariant.Id)
            .Except([id, .. corruption.Related]));
        Assert.All(found, violation => Assert.Matches("[0-9]", violation.Detail));
    }

    /// <summary>A watch passes over what it has found good; the slow check looks at all.
    /// </summary>
    [Theory]
    [MemberData(nameof(Invariants))]
    public void A_watch_that_has_seen_the_state_before_reports_the_same(string id)
    {
        var watch = new InvariantWatch();
        SpecState broken = Corruptions[id].Amend(Rich);
        Assert.Empty(watch.FindViolations(Rich));
        for (int look = 0; look < 2; look++)
        {
            Assert.Equal(
                Spec.Specification.FindViolations(broken), watch.FindViolations(broken));
        }

        Assert.Empty(watch.FindViolations(Rich));
    }

    private static Table<T> Each<T>(Table<T> table, Func<T, T> amend) => table.Between(
        0, ulong.MaxValue).Aggregate(table, (all, row) => all.Set(row.Key, amend(row.Row)));

    private static SpecState Segment(SpecState state, int index, Func<Segment, Segment> amend) =>
        state with
        {
            Segments = state.Segments.Set(
                state.Segments.Keys[index], amend(state.Segments.Rows[index])),
        };

    private static SpecState Object(
        SpecState state, int index, Func<MemoryObject, MemoryObject> amend) =>
        Segment(state, index, x => x with { Object = amend(x.Object) });

    private static SpecState Page(
        SpecState state, ulong page, Func<ObjectPage, ObjectPage> amend) =>
        Object(state, 0, x => x with { Pages = x.Pages.Set(page, amend(x.Pages[page])) });

    private static SpecState Namespace(
        SpecState state, Func<IpcNamespace, IpcNamespace> amend) =>
        state with { Namespaces = state.Namespaces.Set(0, amend(state.Namespaces[0])) };

    private static SpecState Space(SpecState state, Func<AddressSpace, AddressSpace> amend) =>
        state with { Spaces = state.Spaces.Set(0, amend(state.Spaces[0])) };
}
