using ShmCheck.Spec;

namespace ShmCheck.Properties.Specification;

/// <summary>Maps of pages, against sorted dictionaries that are copied.</summary>
public sealed class PageMapTests
{
    /// <summary>Several blocks of pages.</summary>
    private const int Pages = 150;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_map_has_the_rows_that_were_set_and_not_removed(int seed)
    {
        var random = new Random(seed);
        PageMap<int> map = PageMap<int>.Empty;
        var twin = new SortedDictionary<ulong, int>();
        for (int step = 0; step < 1000; step++)
        {
            (PageMap<int> before, KeyValuePair<ulong, int>[] rows) = (map, [.. twin]);
            map = Change(map, twin, random, step);
            AssertSame(twin, map, random);
            Assert.Equal(rows, RowsOf(before.All));
        }
    }

    [Fact]
    public void A_page_without_a_row_cannot_be_read()
    {
        PageMap<int> map = PageMap<int>.Empty.Set(40, 1);
        Assert.Throws<KeyNotFoundException>(() => map[41]);
        Assert.Throws<KeyNotFoundException>(() => map[8]);
        Assert.Same(map, map.Remove(41));
    }

    private static PageMap<int> Change(
        PageMap<int> map, SortedDictionary<ulong, int> twin, Random random, int step)
    {
        ulong from = Page(random);
        ulong to = Page(random);
        ulong[] within = [.. twin.Keys.Where(page => page >= from && page < to)];
        switch (random.Next(12))
        {
            case 0:
                Array.ForEach(within, page => twin.Remove(page));
                return map.RemoveRange(from, to);
            case 1:
                Array.ForEach(within, page => twin[page] += (int)page);
                return map.Map(from, to, (page, row) => row + (int)page);
            case 2 or 3 or 4:
                twin.Remove(from);
                return map.Remove(from);
            default:
                twin[from] = step;
                return map.Set(from, step);
        }
    }

    private static void AssertSame(
        SortedDictionary<ulong, int> twin, PageMap<int> map, Random random)
    {
        (ulong from, ulong to) = (Page(random), Page(random));
        Assert.Equal(twin, RowsOf(map.All));
        Assert.Equal(twin.Count, map.Count);
        Assert.Equal(
            twin.Where(row => row.Key >= from && row.Key < to), RowsOf(map.Between(from, to)));
        Assert.Equal(twin.Keys.Count(page => page < from), map.CountBelow(from));
        Assert.Equal(twin.ContainsKey(from), map.Contains(from));
        Assert.Equal(twin.TryGetValue(from, out int row), map.TryGet(from, out int found));
        Assert.Equal(row, found);
    }

    private static ulong Page(Random random) => (ulong)random.Next(Pages);

    private static KeyValuePair<ulong, int>[] RowsOf(PageRows<int> rows) =>
        [.. rows.Select(row => KeyValuePair.Create(row.Page, row.Row))];
}
