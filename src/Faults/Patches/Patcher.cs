using System.Collections.Immutable;

namespace ShmCheck.Faults.Patches;

/// <summary>Applies faults to sources.</summary>
public static class Patcher
{
    /// <summary>Applies a fault. A hunk whose lines have moved is found again when they stand in
    /// one place only.</summary>
    /// <param name="sources">Text by path.</param>
    /// <param name="fault">What to change.</param>
    /// <returns>The sources with the fault.</returns>
    /// <exception cref="FaultException">A file or the lines of a hunk are not there, or stand in
    /// several places.</exception>
    public static ImmutableDictionary<string, string> Apply(
        ImmutableDictionary<string, string> sources, Fault fault)
    {
        ImmutableArray<ImmutableArray<int>> places = Places(sources, fault);
        for (int i = 0; i < fault.Files.Length; i++)
        {
            FileDiff file = fault.Files[i];
            List<string> lines = [.. sources[file.Path].Split('\n')];
            for (int j = file.Hunks.Length - 1; j >= 0; j--)
            {
                lines.RemoveRange(places[i][j], file.Hunks[j].Before.Count());
                lines.InsertRange(places[i][j], file.Hunks[j].After);
            }

            sources = sources.SetItem(file.Path, string.Join('\n', lines));
        }

        return sources;
    }

    /// <summary>Where the hunks of each file of a fault stand: lines from 0.</summary>
    internal static ImmutableArray<ImmutableArray<int>> Places(
        ImmutableDictionary<string, string> sources, Fault fault) =>
        [.. fault.Files.Select(file => Places(sources, fault.Id, file))];

    private static ImmutableArray<int> Places(
        ImmutableDictionary<string, string> sources, string id, FileDiff file)
    {
        if (!sources.TryGetValue(file.Path, out string? text))
        {
            throw new FaultException($"fault {id}: there is no file {file.Path}");
        }

        string[] lines = text.Split('\n');
        var places = ImmutableArray.CreateBuilder<int>();
        int least = 0;
        for (int i = 0; i < file.Hunks.Length; i++)
        {
            Hunk hunk = file.Hunks[i];
            string[] before = [.. hunk.Before];
            string where = $"fault {id}: {file.Path}, hunk {i + 1} (line {hunk.OldStart})";
            int at = Find(lines, before, hunk.OldStart - 1, least, where);
            places.Add(at);
            least = at + before.Length;
        }

        return places.ToImmutable();
    }

    private static int Find(string[] lines, string[] wanted, int near, int least, string where)
    {
        if (near >= least && StandsAt(lines, wanted, near))
        {
            return near;
        }

        int[] places = [.. Enumerable.Range(least, Math.Max(lines.Length - least, 0))
            .Where(at => StandsAt(lines, wanted, at))];
        return places switch
        {
            [int only] => only,
            [] => throw new FaultException($"{where}: its lines are not there"),
            _ => throw new FaultException($"{where}: its lines stand in {places.Length} places"),
        };
    }

    private static bool StandsAt(string[] lines, string[] wanted, int at) =>
        at + wanted.Length <= lines.Length
        && lines.AsSpan(at, wanted.Length).SequenceEqual(wanted);
}
