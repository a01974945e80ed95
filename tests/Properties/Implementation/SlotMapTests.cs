using System.Numerics;
using FsCheck;
using FsCheck.Fluent;
using ShmCheck.Impl;

namespace ShmCheck.Properties.Implementation;

/// <summary>The slot allocators beside a set of what is taken.</summary>
public class SlotMapTests
{
    private static readonly int[] Capacities = [1, 63, 64, 65, 128, 200, 4096, 4100, 9000];

    [Fact]
    public void Every_slot_is_had_once_and_none_is_missed_in_columns() => AgreesWithTwin(capacity =>
    {
        var store = new StateStore();
        return new SlotMap<ColumnWords, Scalar>(capacity, store.NewWords, store.NewScalar);
    });

    [Fact]
    public void Every_slot_is_had_once_and_none_is_missed_in_plain_memory()
    {
        using var memory = new WordMemory();
        AgreesWithTwin(capacity =>
            new SlotMap<NativeWords, FieldCell>(capacity, memory.NewWords, () => default));
    }

    [Fact]
    public void Slots_taken_one_after_another_are_neighbours_while_whole_clusters_are_free()
    {
        using var memory = new WordMemory();
        var map = new SlotMap<NativeWords, FieldCell>(640, memory.NewWords, () => default);
        int[] slots = [.. Enumerable.Range(0, 640).Select(_ => map.Take())];
        Assert.Equal(Enumerable.Range(0, 640), slots);
        foreach (int slot in slots.Where(slot => slot % 2 == 0 || slot / 64 == 7))
        {
            map.Give(slot);
        }

        Assert.Equal(Enumerable.Range(448, 64), Enumerable.Range(0, 64).Select(_ => map.Take()));
    }

    [Fact]
    public void An_undone_claim_is_free_again()
    {
        var store = new StateStore();
        var map = new SlotMap<ColumnWords, Scalar>(130, store.NewWords, store.NewScalar);
        Assert.Equal(0, map.Take());
        store.Mark();
        for (int slot = 1; slot < 130; slot++)
        {
            Assert.Equal(slot, map.Take());
        }

        Assert.Equal(-1, map.Take());
        store.RollBack();
        Assert.Equal(1, map.Used);
        Assert.Equal(1, map.Take());
        Assert.True(map.IsConsistent());
    }

    [Fact]
    public void Slots_shared_by_threads_are_had_by_one_at_a_time_and_all_come_back()
    {
        const int Capacity = (1 << 12) + 5;
        using var memory = new WordMemory();
        var map = new SharedSlotMap(Capacity, memory);
        int[] owners = new int[Capacity];
        Parallel.For(1, 5, thread => Churn(map, owners, thread));
        Assert.All(owners, owner => Assert.Equal(0, owner));
        SharedSlotMap.Magazine last = map.NewMagazine();
        int[] all = [.. Enumerable.Range(0, Capacity).Select(_ => map.Take(ref last))];
        Assert.Equal(Enumerable.Range(0, Capacity), all.Order());
        Assert.Equal(-1, map.Take(ref last));
    }

    /// <summary>Takes and gives near exhaustion, where words are full and claims meet.</summary>
    private static void Churn(SharedSlotMap map, int[] owners, int thread)
    {
        var random = new Random(thread);
        var held = new List<int>();
        SharedSlotMap.Magazine magazine = map.NewMagazine();
        for (int step = 0; step < 200_000; step++)
        {
            int slot = random.Next(8) < 5 || held.Count == 0 ? map.Take(ref magazine) : -1;
            if (slot >= 0)
            {
                Assert.Equal(0, Interlocked.Exchange(ref owners[slot], thread));
                held.Add(slot);
            }
            else if (held.Count > 0)
            {
                int which = random.Next(held.Count);
                slot = held[which];
                held[which] = held[^1];
                held.RemoveAt(held.Count - 1);
                Assert.Equal(thread, Interlocked.Exchange(ref owners[slot], 0));
                map.Give(slot);
            }
        }

        foreach (int slot in held)
        {
            Interlocked.Exchange(ref owners[slot], 0);
            map.Give(slot);
        }

        map.Empty(ref magazine);
    }

    private static void AgreesWithTwin<TWords, TCell>(Func<int, SlotMap<TWords, TCell>> newMap)
        where TWords : struct, IWords
        where TCell : struct, ICell
    {
        Gen<(int Capacity, int[] Steps)> cases =
            from capacity in Gen.Elements(Capacities)
            from steps in Gen.Choose(0, 1 << 30).ArrayOf()
            select (capacity, steps);
        Prop.ForAll(cases.ToArbitrary(), one =>
        {
            SlotMap<TWords, TCell> map = newMap(one.Capacity);
            var taken = new List<int>();
            var twin = new HashSet<int>();
            foreach (int step in one.Steps)
            {
                int count = step / 4 % (BitOperations.IsPow2(step % 7) ? one.Capacity + 1 : 9);
                for (; count > 0 && step % 4 < 2; count--)
                {
                    int slot = map.Take();
                    Assert.Equal(twin.Count < one.Capacity, slot >= 0);
                    Assert.True(slot < 0 || (slot < one.Capacity && twin.Add(slot)));
                    taken.AddRange(slot < 0 ? [] : [slot]);
                }

                for (; count > 0 && taken.Count > 0; count--)
                {
                    int which = step / 4 % taken.Count;
                    Assert.True(twin.Remove(taken[which]));
                    map.Give(taken[which]);
                    taken.RemoveAt(which);
                }

                Assert.Equal(twin.Count, map.Used);
                Assert.Equal(twin.Contains(step % one.Capacity), map.IsUsed(step % one.Capacity));
            }

            Assert.True(map.IsConsistent());
        }).QuickCheckThrowOnFailure();
    }
}
