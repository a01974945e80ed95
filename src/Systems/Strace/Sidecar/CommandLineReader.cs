using System.Collections.Immutable;
using System.Text;
using ShmCheck.Abi.Recordings;

namespace ShmCheck.Systems.Strace;

/// <summary>Reads command lines of strace.</summary>
public static class CommandLineReader
{
    /// <summary>Short options that take a value.</summary>
    private const string WithValue = "aebEIoOpPsSuUX";

    /// <summary>Reads a command line: <c>strace</c>, its options, and perhaps the program.
    /// </summary>
    public static StraceCommandLine Read(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        ImmutableArray<string> words = Split(text);
        var command = new StraceCommandLine { Text = text };
        int i = words.IndexOf("strace") + 1;
        if (i == 0)
        {
            i = words.Length > 0 && words[0].EndsWith("/strace", StringComparison.Ordinal) ? 1 : 0;
        }

        while (i < words.Length && words[i].Length > 1 && words[i][0] == '-' && words[i] != "--")
        {
            command = words[i].StartsWith("--", StringComparison.Ordinal)
                ? WithLong(command, words, ref i) : WithShort(command, words, ref i);
            i++;
        }

        return command;
    }

    private static StraceCommandLine WithShort(
        StraceCommandLine command, ImmutableArray<string> words, ref int i)
    {
        string word = words[i];
        for (int at = 1; at < word.Length; at++)
        {
            char option = word[at];
            if (!WithValue.Contains(option, StringComparison.Ordinal))
            {
                command = WithFlag(command, option);
                continue;
            }

            string value = word[(at + 1)..];
            if (value.Length == 0 && i + 1 < words.Length)
            {
                value = words[++i];
            }

            return option switch
            {
                'e' => WithExpression(command, value),
                'p' => command with { Attaches = true },
                'P' => command with { FiltersByPath = true },
                _ => command,
            };
        }

        return command;
    }

    private static StraceCommandLine WithFlag(StraceCommandLine command, char option) =>
        option switch
        {
            'f' => command with { Follows = true, IsSeparate = command.Follows },
            'c' => command with { IsSummary = true },
            'z' or 'Z' => command with { FiltersByStatus = true },
            _ => command,
        };

    private static StraceCommandLine WithLong(
        StraceCommandLine command, ImmutableArray<string> words, ref int i)
    {
        string word = words[i][2..];
        int equals = word.IndexOf('=', StringComparison.Ordinal);
        string name = equals < 0 ? word : word[..equals];
        bool takesValue = name is "trace" or "status" or "inject" or "fault" or "attach"
            or "trace-path" or "output" or "columns" or "abbrev" or "verbose" or "raw" or "signal"
            or "signals" or "read" or "write" or "kvm" or "env" or "user" or "detach-on"
            or "interruptible" or "string-limit" or "const-print-style" or "summary-sort-by"
            or "summary-columns" or "summary-syscall-overhead" or "reads" or "writes";
        string value = equals >= 0 ? word[(equals + 1)..]
            : takesValue && i + 1 < words.Length ? words[++i] : "";
        return name switch
        {
            "follow-forks" => command with { Follows = true },
            "output-separately" => command with { IsSeparate = true },
            "summary-only" => command with { IsSummary = true },
            "successful-only" or "failed-only" => command with { FiltersByStatus = true },
            "attach" => command with { Attaches = true },
            "trace-path" => command with { FiltersByPath = true },
            "trace" or "status" or "inject" or "fault" =>
                WithExpression(command, $"{name}={value}"),
            _ => command,
        };
    }

    private static StraceCommandLine WithExpression(StraceCommandLine command, string expression)
    {
        int equals = expression.IndexOf('=', StringComparison.Ordinal);
        string qualifier = equals < 0 ? "trace" : expression[..equals];
        string value = expression[(equals + 1)..];
        return qualifier switch
        {
            "trace" or "t" => command with { Trace = value },
            "status" => command with { FiltersByStatus = value != "all" },
            "inject" or "fault" => command with { Tampers = true },
            _ => command,
        };
    }

    /// <summary>Splits at blanks as a shell does, with quotes and backslashes.</summary>
    private static ImmutableArray<string> Split(string text)
    {
        var words = ImmutableArray.CreateBuilder<string>();
        var word = new StringBuilder();
        bool inWord = false;
        char quote = '\0';
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            if (quote == '\0' && char.IsWhiteSpace(c))
            {
                if (inWord)
                {
                    words.Add(word.ToString());
                    word.Clear();
                }

                inWord = false;
                continue;
            }

            inWord = true;
            if (c == quote)
            {
                quote = '\0';
            }
            else if (quote == '\0' && c is '\'' or '"')
            {
                quote = c;
            }
            else
            {
                bool escapes = c == '\\' && quote != '\'' && i + 1 < text.Length;
                word.Append(escapes ? text[++i] : c);
            }
        }

        if (inWord)
        {
            words.Add(word.ToString());
        }

        return words.ToImmutable();
    }
}
