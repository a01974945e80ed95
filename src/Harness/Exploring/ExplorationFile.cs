using System.Text;

namespace ShmCheck.Harness.Exploring;

/// <summary>An exploration between two runs.</summary>
internal sealed record SavedExploration
{
    public required NodeTree Tree { get; init; }

    public required NodeSet Known { get; init; }

    public required int Expanded { get; init; }

    public required long Transitions { get; init; }

    public required long Pruned { get; init; }

    public required long CallsAgain { get; init; }

    public required TimeSpan Elapsed { get; init; }

    public required bool[] Rules { get; init; }

    public required IReadOnlyList<(int Node, int Call)> Violations { get; init; }
}

/// <summary>Keeps an exploration in a file. The file begins with what the exploration is of, and
/// is of no use to another one or to another build.</summary>
/// <param name="identity">What the exploration is of.</param>
internal sealed class ExplorationFile(string identity)
{
    private const string Magic = "shmcheck exploration 1";

    /// <summary>Writes the file; the one that was there stays until it is complete.</summary>
    public void Write(string path, SavedExploration saved)
    {
        string unfinished = path + ".tmp";
        using (var file = new BinaryWriter(File.Create(unfinished), Encoding.UTF8))
        {
            file.Write(Magic);
            file.Write(identity);
            file.Write(saved.Expanded);
            file.Write(saved.Transitions);
            file.Write(saved.Pruned);
            file.Write(saved.CallsAgain);
            file.Write(saved.Elapsed.Ticks);
            file.Write(saved.Rules.Length);
            foreach (bool fired in saved.Rules)
            {
                file.Write(fired);
            }

            WriteViolations(file, saved);
            WriteNodes(file, saved);
            file.Write(Magic);
        }

        File.Move(unfinished, path, overwrite: true);
    }

    /// <summary>Reads the file.</summary>
    /// <exception cref="FormatException">It is of something else, or damaged.</exception>
    public SavedExploration Read(string path)
    {
        using var file = new BinaryReader(File.OpenRead(path), Encoding.UTF8);
        try
        {
            return ReadFrom(file, path);
        }
        catch (EndOfStreamException)
        {
            throw new FormatException($"{path} ends too early");
        }
    }

    private SavedExploration ReadFrom(BinaryReader file, string path)
    {
        if (file.ReadString() != Magic)
        {
            throw new FormatException($"{path} is no exploration that was kept");
        }

        if (file.ReadString() != identity)
        {
            throw new FormatException($"{path} is of another scope, system or build");
        }

        int expanded = file.ReadInt32();
        long transitions = file.ReadInt64();
        long pruned = file.ReadInt64();
        long callsAgain = file.ReadInt64();
        var elapsed = TimeSpan.FromTicks(file.ReadInt64());
        bool[] rules = [.. Enumerable.Range(0, file.ReadInt32()).Select(_ => file.ReadBoolean())];
        (int, int)[] violations =
        [
            .. Enumerable.Range(0, file.ReadInt32())
                .Select(_ => (file.ReadInt32(), file.ReadInt32())),
        ];
        (NodeTree tree, NodeSet known) = ReadNodes(file);
        return file.ReadString() != Magic
            ? throw new FormatException($"{path} is damaged")
            : new SavedExploration
            {
                Tree = tree,
                Known = known,
                Expanded = expanded,
                Transitions = transitions,
                Pruned = pruned,
                CallsAgain = callsAgain,
                Elapsed = elapsed,
                Rules = rules,
                Violations = violations,
            };
    }

    private static void WriteViolations(BinaryWriter file, SavedExploration saved)
    {
        file.Write(saved.Violations.Count);
        foreach ((int node, int call) in saved.Violations)
        {
            file.Write(node);
            file.Write(call);
        }
    }

    private static void WriteNodes(BinaryWriter file, SavedExploration saved)
    {
        file.Write(saved.Tree.Count);
        for (int node = 1; node < saved.Tree.Count; node++)
        {
            file.Write(saved.Tree.ParentOf(node));
            file.Write((ushort)saved.Tree.CallOf(node));
        }

        foreach (NodeKey key in saved.Known.Keys)
        {
            file.Write(key.High);
            file.Write(key.Low);
        }
    }

    private static (NodeTree Tree, NodeSet Known) ReadNodes(BinaryReader file)
    {
        var tree = new NodeTree();
        var known = new NodeSet();
        int nodes = file.ReadInt32();
        for (int node = 1; node < nodes; node++)
        {
            int parent = file.ReadInt32();
            tree.Add(parent, file.ReadUInt16());
        }

        for (int node = 0; node < nodes; node++)
        {
            ulong high = file.ReadUInt64();
            known.Add(new NodeKey(high, file.ReadUInt64()));
        }

        return (tree, known);
    }
}
