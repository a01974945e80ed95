using ShmCheck.Impl;

namespace ShmCheck.Properties.Implementation;

/// <summary>Rows with marks to go back to, against arrays that are copied.</summary>
public sealed class TableTests
{
    private const int Fields = 3;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Rows_go_back_to_what_they_were_at_each_mark(int seed)
    {
        var random = new Random(seed);
        var store = new StateStore();
        var table = new Numbers(store);
        var twin = new ulong[400];
        var marks = new Stack<ulong[]>();
        for (int step = 0; step < 20000; step++)
        {
            switch (random.Next(20))
            {
                case 0 when marks.Count < 5:
                    store.Mark();
                    marks.Push([.. twin]);
                    break;
                case 1 when marks.Count > 0:
                    store.RollBack();
                    twin = marks.Pop();
                    break;
                case 2 when marks.Count > 0:
                    store.Commit();
                    marks.Pop();
                    break;
                default:
                    // Low rows first, so that the table grows while marks are set.
                    int cell = random.Next(Math.Min(twin.Length, 10 + (step / 20)));
                    ulong value = (ulong)random.Next(1, 100);
                    twin[cell] = value;
                    Field(table, cell) = value;
                    break;
            }

            int looked = random.Next(twin.Length);
            Assert.Equal(twin[looked], Value(table, looked));
        }

        Assert.All(Enumerable.Range(0, twin.Length),
            cell => Assert.Equal(twin[cell], Value(table, cell)));
    }

    [Fact]
    public void A_row_written_twice_since_a_mark_is_recorded_once()
    {
        var store = new StateStore();
        var table = new Numbers(store);
        table.Change(1).First = 5;
        store.Mark();
        table.Change(1).First = 6;
        table.Change(1).Second = 7;
        store.Mark();
        table.Change(1).First = 8;
        store.RollBack();
        Assert.Equal(6ul, table[1].First);
        table.Change(1).Second = 9;
        store.RollBack();
        Assert.Equal(5ul, table[1].First);
        Assert.Equal(0ul, table[1].Second);
    }

    [Fact]
    public void Saved_rows_are_loaded_over_others()
    {
        var table = new Numbers(new StateStore());
        table.Change(20).Third = 3;
        byte[] saved = table.Save().ToArray();
        var other = new Numbers(new StateStore());
        other.Change(2).First = 1;
        other.Change(30).First = 1;
        Assert.True(other.TryLoad(saved));
        Assert.Equal(3ul, other[20].Third);
        Assert.Equal(0ul, other[2].First);
        Assert.Equal(0ul, other[30].First);
        Assert.False(other.TryLoad(saved.AsSpan(1)));
    }

    private static ref ulong Field(Numbers table, int cell)
    {
        ref Row row = ref table.Change(cell / Fields);
        return ref cell % Fields == 0 ? ref row.First
            : ref cell % Fields == 1 ? ref row.Second : ref row.Third;
    }

    private static ulong Value(Numbers table, int cell)
    {
        ref readonly Row row = ref table[cell / Fields];
        return cell % Fields == 0 ? row.First : cell % Fields == 1 ? row.Second : row.Third;
    }

    private struct Row
    {
        public ulong First;
        public ulong Second;
        public ulong Third;
    }

    private sealed class Numbers(StateStore store) : Table<Row>(store);
}
