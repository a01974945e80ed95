using FsCheck;
using FsCheck.Fluent;
using ShmCheck.Abi;
using ShmCheck.Impl;
using static ShmCheck.Properties.Implementation.Scene;

namespace ShmCheck.Properties.Implementation;

/// <summary>Where mappings are put and how segments are found, beside twins that look at
/// everything.</summary>
public class PlacesTests
{
    private const ulong Above = MachineConfig.WindowStart + MachineConfig.WindowLength;

    [Fact]
    public void A_mapping_is_put_where_the_lowest_gap_is_that_is_long_enough() => Prop.ForAll(
        Gen.Choose(0, 1 << 30).ArrayOf().ToArbitrary(), steps =>
        {
            var machine = new ShmMachine(new MachineConfig());
            var mapped = new SortedDictionary<ulong, ulong>();
            foreach (int step in steps)
            {
                ulong pages = (ulong)(step / 16 % (step % 3 == 0 ? 90 : 6)) + 1;
                if (step % 16 < 10 || mapped.Count == 0)
                {
                    ulong place = (ulong)Done(machine.MMap(P1, 0, pages * Page, 0, 0));
                    Assert.Equal(LowestGap(mapped, pages * Page), place);
                    mapped[place] = place + (pages * Page);
                }
                else
                {
                    Unmap(machine, mapped, step / 16, pages);
                }
            }

            machine.CheckConsistency();
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Behind_many_gaps_just_too_short_the_only_one_is_found_when_nothing_else_is_free()
    {
        const ulong Gaps = 40;
        const ulong Short = 33;
        const ulong Wanted = 50;
        var machine = new ShmMachine(new MachineConfig());
        ulong gap = (ulong)Done(machine.MMap(P1, 0, ((Gaps * (Short + 1)) + 61) * Page, 0, 0));
        for (ulong number = 0; number < Gaps; number++, gap += (Short + 1) * Page)
        {
            Done(machine.MUnmap(P1, gap, Short * Page));
        }

        ulong behind = gap + (61 * Page);
        Done(machine.MUnmap(P1, gap, 60 * Page));
        Assert.Equal(behind, (ulong)Done(machine.MMap(P1, 0, Wanted * Page, 0, 0)));
        ulong rest = MachineConfig.TaskSize - behind - (Wanted * Page);
        Done(machine.MMap(P1, 0, rest, 0, 0));
        Done(machine.MMap(P1, 0, MachineConfig.WindowStart - MachineConfig.MinMapAddress, 0, 0));
        Assert.Equal(gap, (ulong)Done(machine.MMap(P1, 0, Wanted * Page, 0, 0)));
        machine.CheckConsistency();
    }

    [Fact]
    public void A_huge_segment_skips_gaps_in_which_no_aligned_place_is()
    {
        var scene = new Scene(new MachineConfig { HugePages = 8 });
        ulong first = scene.Attach(scene.Segment(1));
        ulong second = scene.Attach(scene.Segment(600));
        scene.Attach(scene.Segment(1));
        Done(scene.Machine.ShmDt(P1, second));
        Assert.Equal(first + (1024 * Page), scene.Attach(scene.HugeSegment(1)));
        Assert.Equal(second, scene.Attach(scene.Segment(511)));
        scene.Machine.CheckConsistency();
    }

    [Fact]
    public void Each_of_many_keys_finds_its_segment()
    {
        const int Keys = 3000;
        var scene = new Scene();
        int[] ids = [.. Enumerable.Range(1, Keys).Select(key => scene.Segment(1, key: key * 7))];
        foreach (int key in Enumerable.Range(1, Keys).Where(key => key % 3 == 0))
        {
            Done(scene.Machine.ShmCtlRmid(P1, ids[key - 1]));
        }

        for (int key = 1; key <= Keys; key++)
        {
            Impl.Outcome found = scene.Machine.ShmGet(P1, key * 7, 0, 0);
            Assert.Equal(key % 3 == 0 ? Errno.ENOENT : Errno.None, found.Errno);
            Assert.True(key % 3 == 0 || found.Word == ids[key - 1]);
        }

        scene.Machine.CheckConsistency();
    }

    private static ulong LowestGap(SortedDictionary<ulong, ulong> mapped, ulong length)
    {
        ulong place = Above;
        foreach ((ulong start, ulong end) in mapped)
        {
            if (start >= place + length)
            {
                break;
            }

            place = end;
        }

        return place;
    }

    private static void Unmap(
        ShmMachine machine, SortedDictionary<ulong, ulong> mapped, int which, ulong pages)
    {
        (ulong start, ulong end) = mapped.ElementAt(which % mapped.Count);
        ulong to = Math.Min(end, start + (pages * Page));
        Done(machine.MUnmap(P1, start, to - start));
        mapped.Remove(start);
        if (to < end)
        {
            mapped[to] = end;
        }
    }
}
