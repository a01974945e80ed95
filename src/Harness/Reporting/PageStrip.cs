using System.Collections.Immutable;
using ShmCheck.Spec;

namespace ShmCheck.Harness.Reporting;

/// <summary>The pages of an object, or the page table entries of a mapping, as one letter each.
/// </summary>
internal static class PageStrip
{
    /// <summary>Letters of a strip; what is longer is cut, and says how long it is.</summary>
    private const int Longest = 24;

    private const char Entry = 'x';
    private const char WrittenEntry = 'w';
    private const char NoEntry = '-';

    /// <summary>What the letters stand for, in the order in which a legend lists them.</summary>
    public static ImmutableArray<(char Letter, string Meaning)> Legend { get; } =
    [
        ('.', "hole"), ('r', "hole with a huge page promised"), ('!', "hole, promise lost"),
        ('C', "clean"), ('D', "dirty"), ('W', "in swap and in memory"), ('S', "in swap"),
        ('H', "huge page"), (NoEntry, "no entry"), (Entry, "entry"),
        (WrittenEntry, "entry, written through"),
    ];

    /// <summary>The pages of an object.</summary>
    public static string Of(MemoryObject pages) => Draw(
        pages.PageCount,
        page => pages.Pages.TryGet(page, out ObjectPage found)
            ? LetterOf(found.State) : pages.IsHuge && pages.Promised ? 'r' : '.');

    /// <summary>The page table entries of a mapping.</summary>
    /// <param name="space">The address space.</param>
    /// <param name="mapping">The mapping.</param>
    /// <param name="basePage">Bytes of a base page.</param>
    public static string Of(AddressSpace space, Mapping mapping, ulong basePage) => Draw(
        mapping.Length / mapping.PageSize,
        page => space.Pages.TryGet(
            (mapping.Start + (page * mapping.PageSize)) / basePage, out PageTableEntry entry)
                ? entry.Dirty ? WrittenEntry : Entry : NoEntry);

    private static string Draw(ulong pages, Func<ulong, char> letter)
    {
        int shown = (int)Math.Min(pages, Longest);
        string strip = string.Concat(Enumerable.Range(0, shown).Select(p => letter((ulong)p)));
        return pages > Longest ? $"{strip}.. ({pages})" : strip;
    }

    private static char LetterOf(PageState state) => state switch
    {
        PageState.None => '.',
        PageState.Clean => 'C',
        PageState.Dirty => 'D',
        PageState.SwapCached => 'W',
        PageState.Swapped => 'S',
        PageState.HugeNone => '!',
        PageState.HugeResident => 'H',
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, "unknown"),
    };
}
