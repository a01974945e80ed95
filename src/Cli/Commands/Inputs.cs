using System.Globalization;
using ShmCheck.Harness.Traces;

namespace ShmCheck.Cli.Commands;

/// <summary>Reads what the arguments of commands mean.</summary>
internal static class Inputs
{
    /// <summary>A time such as <c>40s</c>, <c>10m</c> or <c>1h</c>.</summary>
    public static TimeSpan Time(string text)
    {
        double factor = text.Length == 0 ? 0 : text[^1] switch
        {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            _ => 0,
        };
        bool read = double.TryParse(
            text.AsSpan(0, Math.Max(text.Length - 1, 0)), NumberStyles.AllowDecimalPoint,
            CultureInfo.InvariantCulture, out double number);
        return read && factor > 0 && number > 0 && number * factor < 1e8
            ? TimeSpan.FromSeconds(number * factor)
            : throw new BadInputException(
                $"--time: '{text}' is no time; expected for instance 40s or 10m");
    }

    /// <summary>A shard such as <c>2/4</c>.</summary>
    public static (int Shard, int Shards) Shard(string text)
    {
        string[] parts = text.Split('/');
        return parts.Length == 2 && int.TryParse(parts[0], CultureInfo.InvariantCulture, out int k)
            && int.TryParse(parts[1], CultureInfo.InvariantCulture, out int n)
            && k >= 1 && k <= n
                ? (k, n)
                : throw new BadInputException(
                    $"--shard: '{text}' is no shard; expected K/N with K from 1 to N, "
                    + "for instance 2/4");
    }

    /// <summary>How often figures are compared: <c>all</c>, <c>end</c>, or behind every N-th
    /// call.</summary>
    /// <returns>N; 0 for the end only.</returns>
    public static int ObserveEvery(string text) => text switch
    {
        "all" => 1,
        "end" => 0,
        _ => int.TryParse(
            text, NumberStyles.None, CultureInfo.InvariantCulture, out int every) && every > 0
                ? every
                : throw new BadInputException(
                    $"--observe: expected all, end or a number from 1, not '{text}'"),
    };

    /// <summary>An amount of memory such as <c>512M</c> or <c>4G</c>, in bytes.</summary>
    public static long Memory(string text)
    {
        int shift = text.Length == 0 ? 0 : text[^1] switch
        {
            'K' => 10,
            'M' => 20,
            'G' => 30,
            _ => 0,
        };
        return shift > 0 && long.TryParse(
            text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture,
            out long number) && number > 0 && number <= long.MaxValue >> shift
                ? number << shift
                : throw new BadInputException(
                    $"--memory: '{text}' is no amount of memory; expected for instance 512M or 4G");
    }

    /// <summary>A trace.</summary>
    public static Trace ReadTrace(string path)
    {
        try
        {
            return TraceParser.ParseFile(path);
        }
        catch (TraceFormatException problem)
        {
            throw new BadInputException(problem.Message);
        }
        catch (Exception problem)
            when (problem is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new BadInputException($"{path}: there is no such file; expected a trace (.shm)");
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException($"{path}: cannot be read: {problem.Message}");
        }
    }
}
