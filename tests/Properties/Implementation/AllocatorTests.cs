using ShmCheck.Impl;

namespace ShmCheck.Properties.Implementation;

/// <summary>The allocators beside twins that are slow and obvious.</summary>
public class AllocatorTests
{
    public static TheoryData<int> Capacities =>
        [1, 2, 63, 64, 65, 127, 128, 4095, 4096, 4097, 4160, 262143, 262144, 262145];

    [Theory]
    [MemberData(nameof(Capacities))]
    public void A_free_map_finds_the_lowest_free_index(int capacity)
    {
        var random = new Random(capacity);
        var map = new FreeMap<ColumnWords>(capacity, new StateStore().NewWords);
        bool[] used = new bool[capacity];
        for (int step = 0; step < 20000; step++)
        {
            int index = random.Next(Math.Min(capacity, 1 + step));
            Assert.Equal(used[index], map.IsUsed(index));
            if (random.Next(100) < 60 && map.Used < capacity)
            {
                index = map.FindFree();
                Assert.Equal(Array.IndexOf(used, false), index);
                map.Use(index);
                used[index] = true;
            }
            else if (used[index])
            {
                map.Free(index);
                used[index] = false;
            }

            Assert.Equal(Array.IndexOf(used, false, index), map.FindFree(index));
        }

        Assert.Equal(used.Count(taken => taken), map.Used);
        Assert.True(map.IsConsistent());
    }

    [Theory]
    [MemberData(nameof(Capacities))]
    public void A_full_map_has_no_free_index(int capacity)
    {
        var map = new FreeMap<ColumnWords>(capacity, new StateStore().NewWords);
        for (int index = 0; index < capacity; index++)
        {
            Assert.Equal(index, map.FindFree());
            map.Use(index);
        }

        Assert.Equal(-1, map.FindFree());
        Assert.Equal(-1, map.FindFree(capacity - 1));
        map.Free(capacity - 1);
        Assert.Equal(capacity - 1, map.FindFree());
    }

    [Theory]
    [InlineData(2)]
    [InlineData(32)]
    [InlineData(64)]
    [InlineData(512)]
    [InlineData(8192)]
    public void Runs_are_taken_and_freed_whole(int length)
    {
        const int Runs = 40;
        var random = new Random(length);
        var map = new FreeMap<ColumnWords>((length * Runs) + 7, new StateStore().NewWords);
        bool[] taken = new bool[Runs];
        for (int step = 0; step < 400; step++)
        {
            int run = random.Next(Runs);
            if (taken[run])
            {
                map.FreeRun(run * length, length);
            }
            else
            {
                map.UseRun(run * length, length);
            }

            taken[run] = !taken[run];
            int lowest = Array.IndexOf(taken, false);
            Assert.Equal((lowest < 0 ? Runs : lowest) * length, map.FindFree());
            Assert.Equal(taken.Count(t => t) * length, map.Used);
        }

        Assert.True(map.IsConsistent());
    }

    [Theory]
    [MemberData(nameof(Capacities))]
    public void An_index_set_finds_its_first_last_and_next_member(int capacity)
    {
        var random = new Random(capacity);
        var set = new IndexSet(new StateStore(), capacity);
        var twin = new SortedSet<int>();
        for (int step = 0; step < 20000; step++)
        {
            int near = random.Next(4) == 0 ? -1 : 0x7f00;
            int index = random.Next(capacity) & near;
            index = Math.Min(index, capacity - 1);
            if (twin.Remove(index))
            {
                set.Remove(index);
            }
            else
            {
                twin.Add(index);
                set.Add(index);
            }

            Assert.Equal(twin.Contains(index), set.Contains(index));
            Assert.Equal(twin.Count == 0 ? -1 : twin.Min, set.First());
            Assert.Equal(twin.Count == 0 ? -1 : twin.Max, set.Last());
            int from = random.Next(capacity);
            Assert.Equal(LowestFrom(twin, from), set.NextFrom(from));
        }
    }

    [Theory]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(12)]
    [InlineData(18)]
    [InlineData(36)]
    [InlineData(41)]
    public void A_tree_is_a_sorted_map(int keyBits)
    {
        var random = new Random(keyBits);
        var store = new StateStore();
        var nodes = new Radix(store);
        var tree = new RadixTree(nodes, store.NewColumn<ulong>(), 3);
        var twin = new SortedDictionary<ulong, ulong>();
        ulong mask = (1ul << keyBits) - 1;
        ulong near = (ulong)random.NextInt64() & mask;
        for (int step = 0; step < 6000; step++)
        {
            ulong key = random.Next(3) == 0 ? (ulong)random.NextInt64() & mask
                : (near + (ulong)random.Next(300)) & mask;
            ulong value = twin.Count > 200 || random.Next(3) == 0 ? 0 : (ulong)random.NextInt64();
            if (random.Next(2) == 0)
            {
                tree[key] = value;
            }
            else
            {
                tree.Set(tree.CellOf(key), key, value);
            }

            twin.Remove(key);
            if (value != 0)
            {
                twin[key] = value;
            }

            Assert.Equal(value, tree[key]);
            AssertNeighbours(tree, twin, random.Next(2) == 0 ? key
                : (ulong)random.NextInt64() & mask);
        }

        Assert.NotEqual(0, nodes.NodeCount);
        tree.Clear();
        Assert.Equal(0, nodes.NodeCount);
    }

    [Fact]
    public void A_tree_that_is_emptied_key_by_key_keeps_no_node()
    {
        var store = new StateStore();
        var nodes = new Radix(store);
        var tree = new RadixTree(nodes, store.NewColumn<ulong>(), 0);
        ulong[] keys = [0, 1, 63, 64, 4095, 4096, 1ul << 20, 1ul << 35, (1ul << 41) - 1];
        foreach (ulong key in keys)
        {
            tree[key] = key + 1;
        }

        Assert.All(keys, key => Assert.Equal(key + 1, tree[key]));
        foreach (ulong key in keys)
        {
            tree[key] = 0;
        }

        Assert.True(tree.IsEmpty);
        Assert.Equal(0, nodes.NodeCount);
    }

    [Fact]
    public void A_byte_map_is_a_map_of_bytes()
    {
        var random = new Random(5);
        var store = new StateStore();
        var map = new ByteMap(new RadixTree(new Radix(store), store.NewColumn<ulong>(), 0));
        var twin = new SortedDictionary<ulong, byte>();
        for (int step = 0; step < 6000; step++)
        {
            ulong page = (ulong)random.Next(900);
            if (random.Next(20) == 0)
            {
                ulong end = page + (ulong)random.Next(30);
                map.Zero(page, end);
                twin.Keys.Where(k => k >= page && k < end).ToList().ForEach(k => twin.Remove(k));
            }
            else
            {
                byte value = (byte)random.Next(0, 3);
                map[page] = value;
                twin[page] = value;
            }

            twin.Where(pair => pair.Value == 0).ToList().ForEach(pair => twin.Remove(pair.Key));
            ulong from = (ulong)random.Next(900);
            KeyValuePair<ulong, byte>? next = twin.Where(pair => pair.Key >= from)
                .Select(pair => (KeyValuePair<ulong, byte>?)pair).FirstOrDefault();
            Assert.Equal(next is not null, map.Next(ref from, out byte found));
            Assert.Equal(next?.Value ?? 0, found);
            Assert.Equal(next?.Key ?? from, from);
        }
    }

    private static int LowestFrom(SortedSet<int> set, int from)
    {
        SortedSet<int> rest = set.GetViewBetween(from, int.MaxValue);
        return rest.Count == 0 ? -1 : rest.Min;
    }

    private static void AssertNeighbours(
        RadixTree tree, SortedDictionary<ulong, ulong> twin, ulong key)
    {
        ulong next = key;
        bool found = tree.Next(ref next, out ulong value);
        List<ulong> above = [.. twin.Keys.Where(k => k >= key).Take(1)];
        Assert.Equal(above.Count > 0, found);
        Assert.True(!found || (next == above[0] && value == twin[next]));
        ulong previous = key;
        found = tree.Previous(ref previous, out value);
        List<ulong> below = [.. twin.Keys.Where(k => k <= key).TakeLast(1)];
        Assert.Equal(below.Count > 0, found);
        Assert.True(!found || (previous == below[0] && value == twin[previous]));
    }
}
