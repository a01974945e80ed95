using System.Text;
using ShmCheck.Abi;

namespace ShmCheck.Systems.Live;

/// <summary>The figures of <c>observe</c> that are not of a table of its own.</summary>
/// <param name="SwapCached">kB.</param>
/// <param name="Shmem">kB.</param>
/// <param name="Committed">kB.</param>
internal readonly record struct MemoryFigures(ulong SwapCached, ulong Shmem, ulong Committed);

/// <summary>What <c>observe</c> shows beside figures that an observation has.</summary>
/// <param name="Memory">Figures of /proc/meminfo, if they were asked for.</param>
/// <param name="Clock">Seconds of the clock that stamps are taken from, if the program shows it.
/// </param>
internal readonly record struct Shown(MemoryFigures? Memory, long? Clock);

/// <summary>Reads what <c>observe</c> answers: rows, each a letter and figures in a fixed order.
/// </summary>
internal static class ObservationReader
{
    /// <summary>Reads the line into an observation.</summary>
    /// <exception cref="FormatException">No agent says that.</exception>
    public static Shown Read(ReadOnlySpan<byte> line, Observation observation)
    {
        observation.Clear();
        MemoryFigures? memory = null;
        long? clock = null;
        var words = new WordReader(line);
        if (!words.Next().SequenceEqual("ok"u8))
        {
            throw new FormatException($"unexpected '{Encoding.UTF8.GetString(line)}'");
        }

        while (words.HasMore)
        {
            ReadOnlySpan<byte> row = words.Next();
            switch (row.Length == 1 ? (char)row[0] : ' ')
            {
                case 'n':
                    Fill(ref words, observation.Namespaces.Add());
                    break;
                case 's':
                    Fill(ref words, observation.Segments.Add());
                    break;
                case 'p':
                    Fill(ref words, observation.Processes.Add());
                    break;
                case 'm':
                    Fill(ref words, observation.Mappings.Add());
                    break;
                case 'f':
                    Fill(ref words, observation.Frames.Add());
                    break;
                case 'g':
                    FillMachine(ref words, observation.Global.Add());
                    break;
                case 't':
                    clock = words.NextNumber();
                    break;
                case 'c':
                    observation.Cost = TimeSpan.FromMicroseconds(words.NextNumber());
                    break;
                case 'i':
                    memory = new MemoryFigures(
                        words.NextUnsigned(), words.NextUnsigned(), words.NextUnsigned());
                    break;
                default:
                    throw new FormatException(
                        $"unexpected row '{Encoding.UTF8.GetString(row)}'");
            }
        }

        return observation.Global.Count == 1 ? new Shown(memory, clock)
            : throw new FormatException("the machine's row is missing");
    }

    private static void Fill(ref WordReader words, Span<ulong> row)
    {
        foreach (ref ulong cell in row)
        {
            cell = words.NextUnsigned();
        }
    }

    private static void FillMachine(ref WordReader words, Span<ulong> row)
    {
        row[(int)GlobalField.HugePages_Total] = words.NextUnsigned();
        row[(int)GlobalField.HugePages_Free] = words.NextUnsigned();
        row[(int)GlobalField.HugePages_Rsvd] = words.NextUnsigned();
        row[(int)GlobalField.HugePages_Surp] = words.NextUnsigned();
        row[(int)GlobalField.SwapUsed] = words.NextUnsigned();
    }
}
