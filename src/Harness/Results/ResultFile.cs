using System.Text.Json;

namespace ShmCheck.Harness.Results;

/// <summary>The result of a campaign on disk, beside the traces that it names.</summary>
public static class ResultFile
{
    /// <summary>Its name within the directory.</summary>
    public const string Name = "result.json";

    /// <summary>Writes a result, as a whole or not at all.</summary>
    public static void Write(string directory, CampaignResult result)
    {
        CampaignResult portable = result with
        {
            Divergences =
            [
                .. result.Divergences.Select(
                    found => found with { Trace = Path.GetFileName(found.Trace) }),
            ],
        };
        string path = Path.Combine(directory, Name);
        string unfinished = $"{path}.tmp";
        File.WriteAllText(unfinished, JsonSerializer.Serialize(portable, JsonForm.Options) + "\n");
        File.Move(unfinished, path, overwrite: true);
    }

    /// <summary>Removes the result of an earlier campaign: one that is killed leaves none.
    /// </summary>
    public static void Remove(string directory) => File.Delete(Path.Combine(directory, Name));

    /// <summary>Reads a result and its traces.</summary>
    /// <exception cref="FormatException">It is not there or cannot be used; the message names the
    /// file and what was expected.</exception>
    public static CampaignResult Read(string directory)
    {
        string path = Path.Combine(directory, Name);
        try
        {
            CampaignResult result = Parse(File.ReadAllText(path));
            _ = result.Part;
            return result with
            {
                Divergences = [.. result.Divergences.Select(found => WithText(directory, found))],
            };
        }
        catch (Exception problem)
            when (problem is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new FormatException(
                $"{path}: there is no such file; expected the result that check --out leaves "
                + "when it has come to its end", problem);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new FormatException($"{path}: cannot be read: {problem.Message}", problem);
        }
        catch (Exception problem) when (problem is JsonException or FormatException)
        {
            throw new FormatException(
                $"{path}: expected the result of a check, version {JsonForm.Version}: "
                + problem.Message, problem);
        }
    }

    private static CampaignResult Parse(string text)
    {
        using (JsonDocument document = JsonDocument.Parse(text))
        {
            if (document.RootElement.ValueKind != JsonValueKind.Object
                || !document.RootElement.TryGetProperty("version", out JsonElement version))
            {
                throw new FormatException("there is no version");
            }

            if (version.ToString() != $"{JsonForm.Version}")
            {
                throw new FormatException($"its version is {version}");
            }
        }

        return JsonSerializer.Deserialize<CampaignResult>(text, JsonForm.Options)!;
    }

    private static DivergenceResult WithText(string directory, DivergenceResult found)
    {
        string name = found.Trace ?? throw new FormatException(
            $"the divergence {found.Fingerprint} names no trace");
        string path = Path.Combine(directory, Path.GetFileName(name));
        return File.Exists(path) ? found with { Trace = path, Text = File.ReadAllText(path) }
            : throw new FormatException($"the trace {path} is not there");
    }
}
